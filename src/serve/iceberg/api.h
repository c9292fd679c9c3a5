// Iceberg's REST catalog under /iceberg, for pyiceberg, Spark, Trino, DuckDB and the like: a handler for
// net::HttpServer, which has checked Host, Origin and token. All that it changes goes through the one commit
// call of the catalog.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/env/env.h"
#include "engine/lake_catalog.h"
#include "net/http_server.h"
#include "serve/iceberg/answer.h"
#include "serve/iceberg/kept_refusals.h"
#include "serve/iceberg/tokens.h"
#include "serve/iceberg/wire.h"
#include "store/store.h"

namespace tarn::serve {

// Called by several handler threads at once.
class IcebergApi {
 public:
  struct Options {
    std::string access_token;
    engine::Visibility* visibility = nullptr;  // null: whoever has passed the gate sees everything
  };
  static Result<std::unique_ptr<IcebergApi>> open(Env& env, engine::LakeCatalog& lake, store::Store& records,
                                                  Options options);

  // Tells the server's gate of the token endpoint, of tokens, and of the form of refusals here.
  void admit(net::HttpServerOptions& options);
  // False when the request is not for this.
  bool handle(const net::HttpServerRequest& request, net::HttpServerResponse& response);
  rest::Answer answer(const net::HttpServerRequest& request);

 private:
  using Answer = rest::Answer;
  struct Call {
    const net::HttpServerRequest& request;
    rest::Route route;
    Json body;
    engine::RepeatableRequest repeatable;
    std::optional<engine::CommitOutcome> done;  // what the same request did before
  };
  using Version = std::shared_ptr<const engine::LakeVersion>;
  using Table = std::shared_ptr<const engine::LakeTable>;
  using View = std::shared_ptr<const engine::LakeView>;

  IcebergApi(Env& env, engine::LakeCatalog& lake, std::unique_ptr<rest::KeptRefusals> refusals,
             Options options)
      : env_(env),
        lake_(lake),
        refusals_(std::move(refusals)),
        options_(std::move(options)),
        tokens_(env, options_.access_token) {}

  Answer answer_once(Call& call);
  Answer dispatch(Call& call);
  static Answer config();

  // namespaces.cc
  Answer list_namespaces(const Call& call);
  Answer create_namespace(const Call& call);
  Answer load_namespace(const std::string& space, bool with_body);
  Answer drop_namespace(const Call& call);
  Answer update_namespace(const Call& call);
  Answer list_names(const Call& call, bool of_views);

  // tables.cc
  Answer create_table(const Call& call);
  Answer load_table(const Call& call);
  Answer table_exists(const Call& call);
  Answer drop_table(const Call& call);
  Answer unregister_table(const Call& call);
  Answer load_credentials(const Call& call);
  Answer register_table(const Call& call);
  Answer rename_table(const Call& call);
  Answer report_metrics(const Call& call);
  Result<engine::TableChange> creation(const engine::TableName& name,
                                       std::shared_ptr<const iceberg::TableCommit> commit);

  // commits.cc
  Answer commit_table(const Call& call);
  Answer commit_transaction(const Call& call);
  Answer commit_change(const Call& call, engine::TableChange change, bool by_body);
  Result<engine::TableChange> change_of(const engine::LakeVersion& version,
                                        const rest::TableCommitRequest& request);

  // views.cc
  Answer create_view(const Call& call);
  Answer load_view(const Call& call, bool with_body);
  Answer replace_view(const Call& call);
  Answer drop_view(const Call& call);
  Answer register_view(const Call& call);
  Answer rename_view(const Call& call);
  Answer put_view(const Call& call, engine::ViewChange change, const std::string& uuid);
  Result<iceberg::ViewMetadata> view_document(const std::string& location);

  // What is there and may be seen; else null.
  [[nodiscard]] const engine::LakeSchema* find_schema(const engine::LakeVersion& version,
                                                      const std::string& space) const;
  [[nodiscard]] Table find_table(const engine::LakeVersion& version, const engine::TableName& name) const;
  [[nodiscard]] View find_view(const engine::LakeVersion& version, const engine::TableName& name) const;
  [[nodiscard]] bool sees(const engine::TableName& name) const;
  // An answer that refuses the name for something new, or nullopt.
  [[nodiscard]] std::optional<Answer> name_taken(const engine::LakeVersion& version,
                                                 const engine::TableName& name, bool for_view) const;
  [[nodiscard]] static std::optional<Answer> refuse_system(const std::string& space);
  // What the body of a renaming asks for, or the answer that refuses it.
  struct Renaming {
    engine::TableName from, to;
  };
  [[nodiscard]] std::variant<Renaming, Answer> renaming_of(const Call& call,
                                                           const engine::LakeVersion& version,
                                                           bool of_view) const;

  // The document at a location as the answer of a load, a creation or a commit.
  Answer document(const std::string& location, const Call& call, rest::Subject subject);

  Env& env_;
  engine::LakeCatalog& lake_;
  const std::unique_ptr<rest::KeptRefusals> refusals_;
  const Options options_;
  const rest::Tokens tokens_;
};

}  // namespace tarn::serve
