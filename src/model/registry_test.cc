#include "model/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "env/digest.h"
#include "env/random.h"
#include "model/testing/random_ensemble.h"

namespace millrace::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t kColumns = 4;

TreeEnsemble ensemble_of(std::uint64_t seed) {
  env::Random random(seed);
  return random_ensemble(random, {.features = kColumns, .trees = 5, .depth_max = 3});
}

Canary canary_of(const TreeEnsemble& ensemble) {
  env::Random random(99);
  const data::FeatureBatch rows = random_rows(random, ensemble, 8);
  Canary canary;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    canary.rows.emplace_back(rows.row(i).begin(), rows.row(i).end());
    canary.probabilities.push_back(
        apply_link(ensemble.link, predict_margin_reference(ensemble, rows.row(i))));
  }
  return canary;
}

Manifest manifest_of(const std::string& pipeline) {
  Manifest manifest;
  manifest.pipeline = pipeline;
  manifest.created = Timestamp(1'760'153'303'234);
  manifest.program_version = "0.1.0";
  manifest.algorithm = "gradient_boosting";
  manifest.parameters.learning_rate = 0.05;
  manifest.parameters.seed = 18'446'744'073'709'551'615U;
  manifest.parameters.class_weight = ClassWeight::kBalanced;
  manifest.label = "Churn";
  manifest.label_values = {"No", "Yes"};
  manifest.threshold = 0.1 + 0.2;
  manifest.features = {"tenure", "MonthlyCharges", "Contract=Two year", "prix \"€\""};
  manifest.feature_fingerprint = "0123456789abcdef";
  manifest.transform = {{"median", 1397.475}, {"levels", {"a", "b"}}};
  manifest.schema = json::Value::object();
  manifest.feature_statistics = {{"tenure", {{"mean", 32.37114865823087}}}};
  manifest.metrics_holdout = {{"auc", 0.8457}};
  manifest.metrics_train = nullptr;
  manifest.rows_trained = 7043;
  manifest.rows_holdout = 1409;
  manifest.data_digest = std::string(64, 'a');
  return manifest;
}

class RegistryTest : public ::testing::Test {
 protected:
  Manifest save(const std::string& pipeline = "telco", std::uint64_t seed = 1) {
    const TreeEnsemble ensemble = ensemble_of(seed);
    auto saved = registry_.save(manifest_of(pipeline), ensemble, canary_of(ensemble));
    EXPECT_TRUE(saved) << saved.error().message();
    return *saved;
  }
  env::Path folder_of(const Manifest& manifest) const {
    return models() / manifest.pipeline / manifest.version;
  }
  env::Path models() const { return home_.path() / "models"; }

  static std::string content(const env::Path& file) {
    return env::read_file(file, std::uint64_t{1} << 30).value();
  }
  static void write(const env::Path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
  }
  std::string load_error(const std::string& version = {}) const {
    const auto model = registry_.load("telco", version);
    if (model) return "loaded";
    code_ = model.error().code();
    return model.error().message();
  }

  env::TemporaryFolder home_ = env::TemporaryFolder::make("millrace-registry").value();
  Registry registry_{home_.path() / "models"};
  mutable ErrorCode code_ = ErrorCode::kInternal;
};

TEST_F(RegistryTest, SavedModelLoadsAsItWas) {
  const Manifest saved = save();
  ASSERT_EQ(registry_.promote("telco", saved.version).value(), saved.version);
  const auto loaded = registry_.load("telco");
  ASSERT_TRUE(loaded) << loaded.error().message();
  const Manifest& manifest = loaded->manifest;
  const Manifest wanted = manifest_of("telco");
  EXPECT_EQ(manifest.version, "1-" + saved.model_digest.substr(0, 8));
  EXPECT_EQ(manifest.created, wanted.created);
  EXPECT_EQ(manifest.program_version, wanted.program_version);
  EXPECT_EQ(manifest.parameters.seed, wanted.parameters.seed);
  EXPECT_EQ(manifest.parameters.learning_rate, wanted.parameters.learning_rate);
  EXPECT_EQ(manifest.parameters.class_weight, ClassWeight::kBalanced);
  EXPECT_EQ(manifest.label, wanted.label);
  EXPECT_EQ(manifest.label_values, wanted.label_values);
  EXPECT_EQ(manifest.threshold, wanted.threshold);
  EXPECT_EQ(manifest.features, wanted.features);
  EXPECT_EQ(manifest.transform, wanted.transform);
  EXPECT_EQ(manifest.feature_statistics, wanted.feature_statistics);
  EXPECT_EQ(manifest.metrics_holdout, wanted.metrics_holdout);
  EXPECT_TRUE(manifest.metrics_train.is_null());
  EXPECT_EQ(manifest.rows_trained, 7043U);
  EXPECT_EQ(manifest.data_digest, wanted.data_digest);
  EXPECT_EQ(json::to_line(to_json(*loaded->ensemble)), json::to_line(to_json(ensemble_of(1))));
}

TEST_F(RegistryTest, EqualModelsGiveEqualModelFiles) {
  const Manifest first = save();
  const Manifest second = save();
  EXPECT_EQ(content(folder_of(first) / "model.json"), content(folder_of(second) / "model.json"));
  EXPECT_EQ(first.version.substr(1), second.version.substr(1));
  EXPECT_EQ(second.version.substr(0, 2), "2-");
}

TEST_F(RegistryTest, VersionsAreListedByNumber) {
  for (int i = 0; i < 11; ++i) save();
  ASSERT_TRUE(registry_.promote("telco", "10"));
  const auto entries = registry_.list("telco").value();
  ASSERT_EQ(entries.size(), 11U);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_TRUE(entries[i].version.starts_with(std::to_string(i + 1) + "-"));
    EXPECT_EQ(entries[i].current, i == 9);
    EXPECT_EQ(entries[i].manifest.version, entries[i].version);
  }
  EXPECT_THAT(registry_.list("other").value(), IsEmpty());
}

TEST_F(RegistryTest, PipelinesWithModelsAreNamed) {
  EXPECT_THAT(registry_.pipelines().value(), IsEmpty());
  save("telco");
  save("air");
  ASSERT_TRUE(env::make_folders(models() / "empty"));
  EXPECT_THAT(registry_.pipelines().value(), ElementsAre("air", "telco"));
}

TEST_F(RegistryTest, WithoutModelTheErrorSaysHowToTrain) {
  EXPECT_THAT(load_error(), HasSubstr("millrace train telco --data FILE"));
  EXPECT_EQ(code_, ErrorCode::kNoModel);
  EXPECT_THAT(load_error("3"), HasSubstr("millrace train telco --data FILE"));
}

TEST_F(RegistryTest, WithoutCurrentVersionTheErrorNamesTheVersions) {
  const Manifest saved = save();
  EXPECT_THAT(load_error(), AllOf(HasSubstr("is current"), HasSubstr(saved.version),
                                  HasSubstr("millrace model promote telco")));
  EXPECT_EQ(code_, ErrorCode::kNoModel);
}

TEST_F(RegistryTest, CurrentVersionThatIsGoneIsNoModel) {
  const Manifest gone = save();
  const Manifest left = save();
  ASSERT_TRUE(registry_.promote("telco", gone.version));
  std::filesystem::remove_all(folder_of(gone));
  EXPECT_THAT(load_error(), AllOf(HasSubstr("is gone"), HasSubstr(left.version)));
  EXPECT_EQ(code_, ErrorCode::kNoModel);
  write(models() / "telco" / "current", "../../etc\n");
  EXPECT_THAT(load_error(), HasSubstr("does not name a version"));
  EXPECT_EQ(registry_.list("telco").value().size(), 1U);
}

TEST_F(RegistryTest, UniquePrefixNamesAVersion) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) save("telco", seed);
  EXPECT_TRUE(registry_.load("telco", "3")->manifest.version.starts_with("3-"));
  EXPECT_TRUE(registry_.load("telco", "1")->manifest.version.starts_with("1-"))
      << "the number 1, although 10 to 12 exist";
  EXPECT_TRUE(registry_.load("telco", "12-")->manifest.version.starts_with("12-"));
  EXPECT_THAT(load_error("4-zz"), HasSubstr("not a model version"));
  EXPECT_THAT(load_error("99"), HasSubstr("no version 99"));
  EXPECT_EQ(code_, ErrorCode::kNoModel);
}

TEST_F(RegistryTest, AmbiguousPrefixNamesTheCandidates) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) save("telco", seed);
  std::filesystem::remove_all(folder_of(registry_.load("telco", "1")->manifest));
  EXPECT_THAT(load_error("1"), AllOf(HasSubstr("10-"), HasSubstr("11-"), HasSubstr("12-")));
  EXPECT_EQ(code_, ErrorCode::kUsage);
}

TEST_F(RegistryTest, NamesCannotLeaveTheFolder) {
  save();
  for (const std::string name : {"..", "../telco", "a/b", "", ".hidden", "/etc"}) {
    EXPECT_EQ(registry_.load(name).error().code(), ErrorCode::kUsage) << name;
    EXPECT_EQ(registry_.list(name).error().code(), ErrorCode::kUsage) << name;
    const TreeEnsemble ensemble = ensemble_of(1);
    EXPECT_EQ(registry_.save(manifest_of(name), ensemble, canary_of(ensemble)).error().code(),
              ErrorCode::kUsage);
  }
  for (const std::string version : {"..", "../1", "1/../1", "/", "1-../"}) {
    EXPECT_EQ(registry_.load("telco", version).error().code(), ErrorCode::kUsage) << version;
    EXPECT_EQ(registry_.promote("telco", version).error().code(), ErrorCode::kUsage) << version;
  }
}

TEST_F(RegistryTest, ModelThatDoesNotGiveItsCanaryAnswersIsNotSaved) {
  const TreeEnsemble ensemble = ensemble_of(1);
  Canary canary = canary_of(ensemble);
  canary.probabilities[3] = std::nextafter(canary.probabilities[3], 2.0F);
  const auto saved = registry_.save(manifest_of("telco"), ensemble, canary);
  ASSERT_FALSE(saved);
  EXPECT_THAT(saved.error().message(), HasSubstr("canary row 3"));
  EXPECT_FALSE(registry_.save(manifest_of("telco"), ensemble, Canary{}));
  EXPECT_THAT(registry_.list("telco").value(), IsEmpty());
}

TEST_F(RegistryTest, ChangedFilesAreRefusedByName) {
  const Manifest saved = save();
  for (const char* name : {"model.json", "canary.json"}) {
    const env::Path file = folder_of(saved) / name;
    const std::string before = content(file);
    write(file, before + " ");
    EXPECT_THAT(load_error("1"), AllOf(HasSubstr(name), HasSubstr("SHA-256"))) << name;
    EXPECT_EQ(code_, ErrorCode::kBadModel);
    std::filesystem::remove(file);
    EXPECT_THAT(load_error("1"), HasSubstr(name));
    EXPECT_EQ(code_, ErrorCode::kBadModel);
    write(file, before);
    EXPECT_EQ(load_error("1"), "loaded");
  }
}

TEST_F(RegistryTest, ChangedManifestIsRefused) {
  const Manifest saved = save();
  const env::Path file = folder_of(saved) / "manifest.json";
  std::string text = content(file);
  text.replace(text.find("0.05"), 4, "0.06");
  write(file, text);
  EXPECT_THAT(load_error("1"), AllOf(HasSubstr("manifest.json"), HasSubstr("was changed")));
  EXPECT_EQ(code_, ErrorCode::kBadModel);
  EXPECT_FALSE(registry_.promote("telco", "1"));
  const auto entries = registry_.list("telco").value();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_THAT(entries[0].problem, HasSubstr("was changed"));
}

TEST_F(RegistryTest, RenamedVersionFolderIsRefused) {
  const Manifest saved = save();
  std::filesystem::rename(folder_of(saved), models() / "telco" / "7-00000000");
  EXPECT_THAT(load_error("7"), HasSubstr("was the folder renamed"));
  EXPECT_EQ(code_, ErrorCode::kBadModel);
}

TEST_F(RegistryTest, LoadsAFolderAnywhere) {
  const Manifest saved = save();
  const env::Path elsewhere = home_.path() / "copy of a model";
  std::filesystem::copy(folder_of(saved), elsewhere);
  EXPECT_EQ(registry_.load_folder(elsewhere)->manifest.version, saved.version);
  EXPECT_EQ(registry_.load_folder(home_.path() / "none").error().code(), ErrorCode::kNoModel);
  EXPECT_EQ(registry_.load_folder(home_.path()).error().code(), ErrorCode::kNoModel);
}

TEST_F(RegistryTest, LeftoversOfADeadSaveAreInvisibleAndRemoved) {
  const env::Path leftover = models() / "telco" / ".new-1-0badf00d";
  ASSERT_TRUE(env::make_folders(leftover));
  write(leftover / "model.json", "{");
  EXPECT_THAT(registry_.list("telco").value(), IsEmpty());
  save();
  EXPECT_FALSE(std::filesystem::exists(leftover));
  EXPECT_EQ(registry_.list("telco").value().size(), 1U);
}

struct Foreign {
  const char* name;
  std::string bytes;
  const char* what;
};

class ForeignModel : public RegistryTest, public ::testing::WithParamInterface<Foreign> {};

TEST_P(ForeignModel, IsRefusedWithTheWayToConvert) {
  const Manifest saved = save();
  write(folder_of(saved) / "model.json", GetParam().bytes);
  EXPECT_THAT(load_error("1"), AllOf(HasSubstr("model.json"), HasSubstr(GetParam().what),
                                     HasSubstr("millrace model import")));
  EXPECT_EQ(code_, ErrorCode::kBadModel);
  const env::Path file = home_.path() / "some.model";
  write(file, GetParam().bytes);
  const auto loaded = registry_.load_folder(file);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), ErrorCode::kBadModel);
  EXPECT_THAT(loaded.error().message(), HasSubstr(GetParam().what));
}

std::string bytes(std::initializer_list<int> values, const std::string& rest = "rest of it") {
  std::string text;
  for (const int value : values) text.push_back(static_cast<char>(value));
  return text + rest;
}

INSTANTIATE_TEST_SUITE_P(
    Registry, ForeignModel,
    ::testing::Values(
        Foreign{"pickle", bytes({0x80, 4, 0x95}, "sklearn.ensemble"), "pickle"},
        Foreign{"pickle_protocol_0", "ccopy_reg\n_reconstructor\n", "pickle"},
        Foreign{"joblib_zlib", bytes({0x78, 0x9c}), "pickle"},
        Foreign{"joblib_gzip", bytes({0x1f, 0x8b, 8}), "pickle"},
        Foreign{"joblib_lz4", bytes({4, 0x22, 0x4d, 0x18}), "pickle"},
        Foreign{"joblib_xz", bytes({0xfd, '7', 'z', 'X', 'Z', 0}), "pickle"},
        Foreign{"onnx", bytes({8, 8, 0x12, 8}, "skl2onnx"), "ONNX"},
        Foreign{"ubjson", bytes({'{', 'L', 0, 0, 0, 0, 0, 0, 0, 7}, "learner"), "UBJSON"},
        Foreign{"zip", bytes({'P', 'K', 3, 4}), "zip"},
        Foreign{"xgboost_json", "{\"learner\":{\"attributes\":{}}}", "XGBoost JSON"},
        Foreign{"xgboost_json_version_first", "{\n  \"version\": [1, 7, 4]}", "XGBoost JSON"},
        Foreign{"lightgbm", "tree\nversion=v4\n", "LightGBM"}),
    [](const auto& test) { return std::string(test.param.name); });

// B12: whatever happens to a model's files, loading refuses or gives the model as it was.
TEST_F(RegistryTest, FiveHundredMutationsAreRefusedOrHarmless) {
  const Manifest saved = save();
  const std::string wanted = json::to_line(to_json(ensemble_of(1)));
  env::Random random(20'251'011);
  int refused = 0;
  for (int i = 0; i < 500; ++i) {
    constexpr const char* kFiles[] = {"model.json", "manifest.json", "canary.json"};
    const env::Path file = folder_of(saved) / kFiles[random.below(3)];
    const std::string before = content(file);
    std::string text = before;
    const std::size_t at = random.below(text.size());
    const std::size_t length = 1 + random.below(40);
    switch (random.below(6)) {
      case 0:
        text.resize(at);
        break;
      case 1:
        text[at] = static_cast<char>(text[at] ^ (1 << random.below(8)));
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(at, before.substr(random.below(before.size()), length));
        break;
      case 4:
        text.replace(at, length, std::string(length, static_cast<char>(random.below(256))));
        break;
      default:
        text.insert(at, std::string(1 + random.below(200), '['));
        break;
    }
    write(file, text);
    const auto loaded = registry_.load("telco", "1");
    if (loaded) {
      EXPECT_EQ(json::to_line(to_json(*loaded->ensemble)), wanted);
      EXPECT_EQ(loaded->manifest.threshold, saved.threshold);
    } else {
      ++refused;
      EXPECT_EQ(loaded.error().code(), ErrorCode::kBadModel) << loaded.error().message();
    }
    write(file, before);
  }
  EXPECT_GT(refused, 450);
}

// The same damage behind fitting digests: then structure checks must hold the line alone.
TEST_F(RegistryTest, MutationsBehindFittingDigestsNeverCrash) {
  const std::string before = json::to_line(to_json(ensemble_of(1)));
  env::Random random(5);
  int sound = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string text = before;
    for (std::uint64_t edits = 1 + random.below(3); edits > 0; --edits) {
      const std::size_t at = random.below(text.size());
      if (random.below(2) == 0) {
        text[at] = "0123456789-,.e[]"[random.below(16)];
      } else {
        text.erase(at, 1 + random.below(4));
      }
    }
    const auto document = json::parse(text, "model.json");
    if (!document) continue;
    const auto ensemble = tree_ensemble_from_json(*document);
    if (!ensemble) {
      EXPECT_EQ(ensemble.error().code(), ErrorCode::kBadModel);
      continue;
    }
    ++sound;
    const std::vector<double> row(ensemble->features, 0.5);
    EXPECT_TRUE(std::isfinite(predict_margin_reference(*ensemble, row)));
  }
  EXPECT_GT(sound, 0);
}

}  // namespace
}  // namespace millrace::model
