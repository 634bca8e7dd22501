import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/** ONNX Runtime, one row at a time on the thread that asks. */
final class OnnxModel implements Model {
  private static final Set<String> OUTPUTS = Set.of("probabilities");
  private static final int POSITIVE = 1;

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final String input;

  OnnxModel(Path folder) throws Exception {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setIntraOpNumThreads(1);
    options.setInterOpNumThreads(1);
    session = environment.createSession(folder.resolve("model.onnx").toString(), options);
    input = session.getInputNames().iterator().next();
  }

  @Override
  public float predict(float[] row) throws Exception {
    long[] shape = {1, row.length};
    try (OnnxTensor tensor = OnnxTensor.createTensor(environment, FloatBuffer.wrap(row), shape);
        OrtSession.Result result = session.run(Map.of(input, tensor), OUTPUTS)) {
      return ((OnnxTensor) result.get(0)).getFloatBuffer().get(POSITIVE);
    }
  }
}
