import java.nio.file.Path;
import ml.dmlc.xgboost4j.java.Booster;
import ml.dmlc.xgboost4j.java.DMatrix;
import ml.dmlc.xgboost4j.java.XGBoost;

/** The probability for one row of features. */
interface Model {
  float predict(float[] row) throws Exception;

  /**
   * XGBoost4J with a matrix for every prediction: the only way in of 1.7, and no slower in 3.0 than
   * its prediction in place.
   */
  static Model xgboost(Path folder) throws Exception {
    Booster booster = XGBoost.loadModel(folder.resolve("xgboost.json").toString());
    booster.setParam("nthread", 1);
    return row -> {
      DMatrix matrix = new DMatrix(row, 1, row.length, Float.NaN);
      try {
        return booster.predict(matrix)[0][0];
      } finally {
        matrix.dispose();
      }
    };
  }
}
