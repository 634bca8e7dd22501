import static org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema.valueOnly;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Flink's DataStream with XGBoost4J inside, at least once, in a mini cluster of this process: one
 * slot, object reuse, a checkpoint every second, which also commits the offsets.
 *
 * <p>FlinkPeer BOOTSTRAP IN OUT GROUP MODEL_FOLDER
 */
public final class FlinkPeer {
  /** Message to key and prediction; the model is loaded where the task runs. */
  private static final class Score extends RichMapFunction<byte[], Tuple2<String, byte[]>> {
    private final String folder;
    private transient Churn churn;
    private transient Model model;

    Score(String folder) {
      this.folder = folder;
    }

    @Override
    public void open(OpenContext context) throws Exception {
      churn = new Churn(Path.of(folder));
      model = Model.xgboost(Path.of(folder));
    }

    @Override
    public Tuple2<String, byte[]> map(byte[] message) throws Exception {
      JsonNode customer = Churn.JSON.readTree(message);
      JsonNode value = Churn.prediction(customer, model.predict(churn.features(customer)));
      return Tuple2.of(
          customer.get("customerID").textValue(), Churn.JSON.writeValueAsBytes(value));
    }
  }

  private static KafkaRecordSerializationSchema<Tuple2<String, byte[]>> to(String topic) {
    return (record, context, timestamp) ->
        new ProducerRecord<>(topic, record.f0.getBytes(StandardCharsets.UTF_8), record.f1);
  }

  public static void main(String[] args) throws Exception {
    StreamExecutionEnvironment flink = StreamExecutionEnvironment.getExecutionEnvironment();
    flink.setParallelism(1);
    flink.getConfig().enableObjectReuse();
    flink.enableCheckpointing(1000);

    KafkaSource<byte[]> source =
        KafkaSource.<byte[]>builder()
            .setBootstrapServers(args[0])
            .setTopics(args[1])
            .setGroupId(args[3])
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setDeserializer(valueOnly(ByteArrayDeserializer.class))
            .build();
    KafkaSink<Tuple2<String, byte[]>> sink =
        KafkaSink.<Tuple2<String, byte[]>>builder()
            .setBootstrapServers(args[0])
            .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
            .setRecordSerializer(to(args[2]))
            .build();

    flink
        .fromSource(source, WatermarkStrategy.noWatermarks(), "customers")
        .map(new Score(args[4]))
        .sinkTo(sink);
    flink.execute("churn");
  }
}
