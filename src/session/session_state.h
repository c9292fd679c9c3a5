// What a session and its open result share.
#pragma once

#include <string>

namespace tarn::session {

// Kept by the session itself: DuckDB answers success to a COMMIT after a failed statement.
enum class TransactionState { kNone, kOpen, kFailed };

struct SessionState {
  TransactionState transaction = TransactionState::kNone;
  std::string failure;  // the first error inside the transaction

  // Any error inside a transaction ends its usefulness.
  void note_failure(const std::string& message) {
    if (transaction == TransactionState::kOpen) {
      transaction = TransactionState::kFailed;
      failure = message;
    }
  }
};

}  // namespace tarn::session
