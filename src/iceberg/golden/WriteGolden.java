// Wrote the other files of this folder with Iceberg Java 1.11.0 (iceberg-core, hadoop-client): a table of format
// version 1 and one of version 2, three appends, a delete file and a removed file. Argument: an empty folder.
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.iceberg.*;
import org.apache.iceberg.hadoop.HadoopTables;
import org.apache.iceberg.types.Conversions;
import org.apache.iceberg.types.Types;

public class WriteGolden {
  public static void main(String[] args) {
    Schema schema = new Schema(
        Types.NestedField.required(1, "id", Types.LongType.get()),
        Types.NestedField.optional(2, "at", Types.TimestampType.withZone()),
        Types.NestedField.optional(3, "price", Types.DecimalType.of(9, 2)),
        Types.NestedField.optional(4, "d", Types.DoubleType.get()),
        Types.NestedField.optional(5, "u", Types.UUIDType.get()));
    PartitionSpec spec =
        PartitionSpec.builderFor(schema).day("at").identity("price").bucket("id", 8).identity("u").build();
    for (String version : List.of("1", "2")) {
      Table table = new HadoopTables().create(schema, spec, Map.of("format-version", version), args[0] + "/v" + version);
      for (int i = 0; i < 3; i++) {
        PartitionData partition = new PartitionData(spec.partitionType());
        partition.set(0, 19000 + i);
        partition.set(1, new BigDecimal("-0.0" + i));
        partition.set(2, i);
        partition.set(3, i == 2 ? null : new UUID(i, i));
        Metrics metrics = new Metrics(10L, Map.of(1, 50L, 4, 60L), Map.of(1, 10L, 4, 10L), Map.of(1, 0L, 4, 2L),
            Map.of(4, 1L), Map.of(1, Conversions.toByteBuffer(Types.LongType.get(), i * 10L)),
            Map.of(1, Conversions.toByteBuffer(Types.LongType.get(), i * 10L + 9)));
        table.newAppend().appendFile(DataFiles.builder(spec).withPath("file:///data/f" + i + ".parquet")
            .withFormat(FileFormat.PARQUET).withFileSizeInBytes(1000 + i).withPartition(partition)
            .withSortOrder(SortOrder.unsorted()).withSplitOffsets(List.of(4L, 500L)).withMetrics(metrics).build())
            .commit();
        if (i == 1 && version.equals("2")) {
          table.newRowDelta().addDeletes(FileMetadata.deleteFileBuilder(spec).ofPositionDeletes()
              .withPath("file:///data/d.parquet").withFormat(FileFormat.PARQUET).withFileSizeInBytes(77)
              .withRecordCount(2).withPartition(partition).withReferencedDataFile("file:///data/f1.parquet").build())
              .commit();
        }
      }
      table.newDelete().deleteFile("file:///data/f0.parquet").commit();
      Snapshot last = table.currentSnapshot();
      System.out.println("list " + last.manifestListLocation());
      last.allManifests(table.io()).forEach(manifest -> System.out.println(manifest.path()));
    }
  }
}
