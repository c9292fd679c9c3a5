#include "base/env/worker_pool.h"

#include <atomic>

#include <gtest/gtest.h>

namespace tarn {
namespace {

TEST(WorkerPoolTest, RunsEverythingOnce) {
  WorkerPool pool(3);
  std::atomic<int> runs = 0;
  std::vector<std::thread> callers;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        std::vector<WorkerPool::Job> jobs(static_cast<size_t>(i % 7), [&] {
          ++runs;
          return ok();
        });
        EXPECT_TRUE(pool.run_all(std::move(jobs)));
      }
    });
  }
  int expected = 0;
  for (int i = 0; i < 200; ++i) {
    expected += 4 * (i % 7);
  }
  for (auto& caller : callers) {
    caller.join();
  }
  EXPECT_EQ(runs, expected);
}

TEST(WorkerPoolTest, AnErrorStopsNoOtherJob) {
  for (int threads : {0, 2}) {
    WorkerPool pool(threads);
    std::atomic<int> runs = 0;
    auto good = [&] {
      ++runs;
      return ok();
    };
    auto bad = [&]() -> Status { return Error{Code::kIo, "no"}; };
    auto outcome = pool.run_all({good, bad, good});
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, Code::kIo);
    EXPECT_EQ(runs, 2);
  }
}

}  // namespace
}  // namespace tarn
