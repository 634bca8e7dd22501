import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;

/**
 * Kafka Streams with a model inside: one stream thread, committing every 100 ms.
 *
 * <p>KafkaStreamsPeer xgboost|onnx GUARANTEE BOOTSTRAP IN OUT GROUP MODEL_FOLDER
 */
public final class KafkaStreamsPeer {
  private static byte[] write(JsonNode value) {
    try {
      return Churn.JSON.writeValueAsBytes(value);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static JsonNode read(byte[] bytes) {
    try {
      return Churn.JSON.readTree(bytes);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static JsonNode score(Churn churn, Model model, JsonNode customer) {
    try {
      return Churn.prediction(customer, model.predict(churn.features(customer)));
    } catch (Exception error) {
      throw new IllegalStateException("cannot score " + customer, error);
    }
  }

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[6]);
    Churn churn = new Churn(folder);
    Model model = args[0].equals("onnx") ? new OnnxModel(folder) : Model.xgboost(folder);

    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[5]);
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[2]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, args[1]);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, Files.createTempDirectory("streams").toString());
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");

    Serde<JsonNode> json =
        Serdes.serdeFrom((topic, value) -> write(value), (topic, bytes) -> read(bytes));
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream(args[3], Consumed.with(Serdes.String(), json))
        .mapValues(customer -> score(churn, model, customer))
        .to(args[4], Produced.with(Serdes.String(), json));

    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }
}
