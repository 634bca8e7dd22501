import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** From a telco record to the 40 features, and to the message that says what the model thinks. */
final class Churn {
  private record Numeric(String field, int column, float fill) {}

  private record OneHot(String field, Map<String, Integer> columns) {}

  static final ObjectMapper JSON = new ObjectMapper();

  private final int width;
  private final List<Numeric> numeric = new ArrayList<>();
  private final List<OneHot> oneHot = new ArrayList<>();

  Churn(Path modelFolder) throws IOException {
    JsonNode fitted = JSON.readTree(modelFolder.resolve("features.json").toFile());
    width = fitted.get("width").asInt();
    for (JsonNode part : fitted.get("numeric")) {
      numeric.add(
          new Numeric(
              part.get("field").asText(),
              part.get("column").asInt(),
              (float) part.get("fill").asDouble()));
    }
    for (JsonNode part : fitted.get("one_hot")) {
      Map<String, Integer> columns = new HashMap<>();
      part.get("columns")
          .fields()
          .forEachRemaining(entry -> columns.put(entry.getKey(), entry.getValue().asInt()));
      oneHot.add(new OneHot(part.get("field").asText(), columns));
    }
  }

  float[] features(JsonNode customer) {
    float[] row = new float[width];
    for (Numeric part : numeric) {
      row[part.column] = number(customer.get(part.field), part.fill);
    }
    for (OneHot part : oneHot) {
      Integer column = part.columns.get(customer.get(part.field).textValue());
      if (column != null) {
        row[column] = 1;
      }
    }
    return row;
  }

  /** TotalCharges travels as text; a blank is a missing one. */
  private static float number(JsonNode value, float fill) {
    if (value == null || value.isNull()) {
      return fill;
    }
    if (!value.isTextual()) {
      return (float) value.doubleValue();
    }
    String text = value.textValue().strip();
    return text.isEmpty() ? fill : (float) Double.parseDouble(text);
  }

  static ObjectNode prediction(JsonNode customer, float probability) {
    return JSON.createObjectNode()
        .put("customerID", customer.get("customerID").textValue())
        .put("churn_probability", Math.round(probability * 1e6) / 1e6)
        .put("prediction", probability >= 0.5f ? "Yes" : "No")
        .put("event_ts", customer.get("event_ts").textValue())
        .put("processed_ts", Instant.now().toString());
  }
}
