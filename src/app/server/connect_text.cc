#include "app/server/connect_text.h"

#include <fmt/format.h>

namespace tarn::app {
namespace {

constexpr std::string_view kText = R"(# pyiceberg
from pyiceberg.catalog import load_catalog
catalog = load_catalog("tarn", type="rest", uri="{url}/iceberg", token="{token}")

# Spark, with Iceberg's runtime (iceberg-spark-runtime) among its jars
spark-sql --conf spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions \
  --conf spark.sql.catalog.tarn=org.apache.iceberg.spark.SparkCatalog \
  --conf spark.sql.catalog.tarn.type=rest \
  --conf spark.sql.catalog.tarn.uri={url}/iceberg \
  --conf spark.sql.catalog.tarn.token={token}

# Trino: etc/catalog/tarn.properties
connector.name=iceberg
iceberg.catalog.type=rest
iceberg.rest-catalog.uri={url}/iceberg
iceberg.rest-catalog.security=OAUTH2
iceberg.rest-catalog.oauth2.token={token}
fs.hadoop.enabled=true

-- DuckDB
INSTALL iceberg; LOAD iceberg;
CREATE SECRET tarn (TYPE iceberg, TOKEN '{token}');
ATTACH 'lake' AS tarn (TYPE iceberg, ENDPOINT '{url}/iceberg', SECRET tarn);
)";

}  // namespace

std::string connect_text(const ConnectText& server) {
  return fmt::format(kText, fmt::arg("url", server.url), fmt::arg("token", server.token));
}

}  // namespace tarn::app
