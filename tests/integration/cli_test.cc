// The command line as a contract: help, spelling, exit codes, --json, environment.
#include <gtest/gtest.h>

#include <map>

#include "program.h"

namespace millrace::integration {
namespace {

struct ExitCase {
  std::vector<std::string> arguments;
  int exit_code;
  std::string said;  // must stand on stderr
};

// NOLINTNEXTLINE(readability-identifier-naming): the name that GoogleTest looks for
void PrintTo(const ExitCase& c, std::ostream* out) {
  for (const std::string& word : c.arguments) *out << word << " ";
}

class ExitCodes : public testing::TestWithParam<ExitCase> {};

TEST_P(ExitCodes, FitTheCauseAndTheMessageNamesIt) {
  const Workplace place;
  place.write("bad.yaml", "version: 1\nname: x\ninputt: {topic: a}\n");
  place.write("empty.csv", "");
  const Finished finished = place.run(GetParam().arguments);
  EXPECT_EQ(finished.exit_code, GetParam().exit_code) << finished.out << finished.err;
  EXPECT_NE(finished.err.find(GetParam().said), std::string::npos) << finished.err;
}

INSTANTIATE_TEST_SUITE_P(
    Cli, ExitCodes,
    testing::Values(
        ExitCase{{}, 2, "no command"}, ExitCase{{"scor"}, 2, "did you mean 'score'"},
        ExitCase{
            {"score", "telco-churn", "--max-mesages", "5"}, 2, "did you mean '--max-messages'"},
        ExitCase{{"score"}, 2, "pipeline"}, ExitCase{{"topics"}, 2, "subcommand"},
        ExitCase{{"score", "telco-churn", "--mode", "fast"}, 2, "streaming, batch"},
        ExitCase{{"score", "telco-churn", "--max-messages", "0"}, 2, "max-messages"},
        ExitCase{{"score", "telco-churn", "--model-backend", "spark"},
                 2,
                 "millrace: --model-backend is gone"},
        ExitCase{
            {"score", "telco-churn", "--preprocessor-path", "x"}, 2, "--preprocessor-path is gone"},
        ExitCase{
            {"score", "telco-churn", "--customer-schema", "x"}, 2, "--customer-schema is gone"},
        ExitCase{
            {"score", "telco-churn", "--prediction-schema", "x"}, 2, "--prediction-schema is gone"},
        ExitCase{{"score", "telco-churn"}, 78, "millrace train telco-churn"},
        ExitCase{{"topics", "list", "--log", "sqlite:x", "--broker", "h:1"}, 2, "give one of them"},
        ExitCase{{"topics", "list", "--log", "postgres://x"}, 2, "sqlite:FILE"},
        ExitCase{{"validate", "telko-churn"}, 66, "did you mean 'telco-churn'"},
        ExitCase{{"validate", "bad.yaml"},
                 78,
                 "bad.yaml:3:1: unknown key 'inputt', did you mean 'input'"},
        ExitCase{{"train", "telco-churn", "--data", "nowhere.csv"}, 66, "nowhere.csv"},
        ExitCase{{"train", "telco-churn", "--data", "empty.csv"}, 65, "empty.csv"},
        ExitCase{{"train", "telco-churn", "--data", "x.parquet"}, 66, "x.parquet"},
        ExitCase{{"produce", "telco-churn", "--data", "nowhere.csv"}, 66, "nowhere.csv"},
        ExitCase{{"produce", "telco-churn", "--events-per-sec", "0"}, 2, "events-per-sec"},
        ExitCase{{"produce", "telco-churn", "--data", "empty.csv", "--poison-rate", "0.1"},
                 2,
                 "simulator"},
        ExitCase{{"produce", "telco-churn", "--mode", "streaming", "--events-per-sec", "-5"},
                 2,
                 "events-per-sec"},
        ExitCase{{"produce", "telco-churn", "--count", "1", "--no-create-topics"},
                 69,
                 "telco.raw.customers"},
        ExitCase{{"topics", "dump", "nothing"}, 69, "log.db"},
        ExitCase{
            {"topics", "dump", "nothing", "--first", "-1"}, 2, "(millrace topics dump --help)"},
        ExitCase{{"topics", "create", "telco-churn", "--partitions", "5"}, 2, "leave --topic"},
        ExitCase{{"groups", "reset", "g"}, 2, "--to earliest|latest|OFFSET|TIME"},
        ExitCase{{"groups", "reset", "g", "--to", "yesterday"}, 2, "a span back such as 15m"},
        ExitCase{{"groups", "reset", "g", "--to", "earliest"}, 66, "log.db"},
        ExitCase{{"groups", "rest", "g"}, 2, "did you mean 'reset'"},
        ExitCase{{"dlq", "list", "telco-churn", "--from", "noon"}, 2, "--from 'noon'"},
        ExitCase{{"dlq", "replay", "telco-churn", "--rate", "0"}, 2, "--rate"},
        ExitCase{{"tap"}, 2, "topic"}, ExitCase{{"tap", "nothing"}, 69, "log.db"},
        ExitCase{{"tap", "nothing", "--where", "Yes"}, 2, "FIELD=VALUE"},
        ExitCase{{"tap", "nothing", "--form", "latest"}, 2, "did you mean '--from'"},
        ExitCase{{"health", "--max-lag", "1"}, 2, "need a pipeline"},
        ExitCase{{"health", "telco-churn", "--max-age", "soon"}, 2, "--max-age 'soon'"},
        ExitCase{{"health", "--log", "postgres://x"}, 2, "sqlite:FILE"},
        ExitCase{{"helth"}, 2, "did you mean 'health'"}, ExitCase{{"top"}, 2, "pipeline"},
        ExitCase{{"top", "telco-churn"}, 66, "log.db"},
        ExitCase{{"top", "telco-chrun"}, 66, "did you mean 'telco-churn'"},
        ExitCase{{"top", "telco-churn", "--onse"}, 2, "did you mean '--once'"},
        ExitCase{{"trace"}, 2, "at is required"},
        ExitCase{{"trace", "telco.raw.customers/0"}, 2, "TOPIC/PARTITION/OFFSET"},
        ExitCase{{"trace", "mine/0/17"}, 2, "--pipeline"},
        ExitCase{{"trace", "telco.churn.predictions/0/17"}, 2, "telco.raw.customers"},
        ExitCase{{"model", "show", "telco-churn"}, 78, "millrace train"},
        ExitCase{{"demo", "nonsense"}, 66, "nonsense"}));

TEST(Cli, EveryCommandHasHelpThatStartsWithExamples) {
  const Workplace place;
  for (const std::vector<std::string>& command : {std::vector<std::string>{"demo"},
                                                  {"init"},
                                                  {"validate"},
                                                  {"explain"},
                                                  {"doctor"},
                                                  {"topics"},
                                                  {"topics", "dump"},
                                                  {"produce"},
                                                  {"score"},
                                                  {"train"},
                                                  {"evaluate"},
                                                  {"tune"},
                                                  {"predict"},
                                                  {"transform"},
                                                  {"model"},
                                                  {"model", "list"},
                                                  {"dlq"},
                                                  {"dlq", "replay"},
                                                  {"groups"},
                                                  {"groups", "reset"},
                                                  {"tap"},
                                                  {"top"},
                                                  {"health"},
                                                  {"trace"},
                                                  {"log"},
                                                  {"simulate"},
                                                  {"version"}}) {
    std::vector<std::string> arguments = command;
    arguments.emplace_back("--help");
    const Finished finished = place.run(arguments);
    EXPECT_EQ(finished.exit_code, 0) << command.back();
    EXPECT_TRUE(finished.out.starts_with("Examples:"))
        << command.back() << ": " << finished.out.substr(0, 80);
    EXPECT_TRUE(finished.err.empty());
  }
}

// What scripts of the replaced system say is understood.
TEST(Cli, FlagsOfTheReplacedSystemWork) {
  const Workplace place;
  place.write("rows.ndjson", place.simulate(300));
  ASSERT_EQ(place.run({"train", "telco-churn", "--dataset-path", "rows.ndjson"}).exit_code, 0);
  const std::string model = place.run({"model", "show", "telco-churn", "--json"})
                                .last_json()["version"]
                                .get<std::string>();
  const Finished produced =
      place.run({"produce", "telco-churn", "--dataset-path", "rows.ndjson", "--topic", "their.in",
                 "--batch-size", "50", "--checkpoint-file", "cp.json", "--log-level", "INFO"});
  ASSERT_EQ(produced.exit_code, 0) << produced.err;
  EXPECT_TRUE(std::filesystem::exists(place.file("cp.json")));
  const Finished scored = place.run({"score",
                                     "telco-churn",
                                     "--mode",
                                     "batch",
                                     "--input-topic",
                                     "their.in",
                                     "--output-topic",
                                     "their.out",
                                     "--deadletter-topic",
                                     "their.dead",
                                     "--consumer-group",
                                     "theirs",
                                     "--max-messages",
                                     "200",
                                     "--timeout-ms",
                                     "5000",
                                     "--metrics-interval",
                                     "100",
                                     "--log-level",
                                     "INFO",
                                     "--model-path",
                                     ".millrace/models/telco-churn/" + model});
  ASSERT_EQ(scored.exit_code, 0) << scored.err;
  EXPECT_NE(scored.err.find("consumed"), std::string::npos);
  EXPECT_EQ(place.dump("their.out").size(), 200U);
}

TEST(Cli, FlagsWorkBeforeAndAfterTheCommand) {
  const Workplace place;
  ASSERT_EQ(place.run({"topics", "create", "telco-churn", "--home", "elsewhere"}).exit_code, 0);
  const json::Value before =
      place.run({"--home", "elsewhere", "--json", "topics", "list"}).last_json();
  const json::Value after =
      place.run({"topics", "list", "--json", "--home", "elsewhere"}).last_json();
  EXPECT_EQ(before, after);
  EXPECT_EQ(before["topics"].size(), 3U);
}

TEST(Cli, EnvironmentSetsFlagsAndFlagsWin) {
  const Workplace place;
  ASSERT_EQ(place.run({"topics", "create", "telco-churn"}, {{"MILLRACE_HOME", "a"}}).exit_code, 0);
  EXPECT_TRUE(std::filesystem::exists(place.file("a/log.db")));
  ASSERT_EQ(place.run({"topics", "create", "telco-churn", "--home", "b"}, {{"MILLRACE_HOME", "c"}})
                .exit_code,
            0);
  EXPECT_TRUE(std::filesystem::exists(place.file("b/log.db")));
  EXPECT_FALSE(std::filesystem::exists(place.file("c")));
}

TEST(Cli, ExplainTellsWhereEverySettingIsFrom) {
  const Workplace place;
  const json::Value explained =
      place
          .run({"explain", "telco-churn", "--json", "--log-level", "error", "-X",
                "sasl.password=geheim"},
               {{"MILLRACE_HOME", "elsewhere"}, {"MILLRACE_SET", "model.threshold=0.3"}})
          .last_json();
  std::map<std::string, std::string> values;
  std::map<std::string, std::string> origins;
  for (const json::Value& row : explained["settings"]) {
    values[row["flag"]] = row["value"].is_string() ? row["value"].get<std::string>() : "";
    origins[row["flag"]] = row["origin"].get<std::string>();
  }
  EXPECT_EQ(origins["--home"], "environment MILLRACE_HOME");
  EXPECT_EQ(origins["--log-level"], "--log-level");
  EXPECT_EQ(values["--log"], "sqlite:elsewhere/log.db");
  EXPECT_EQ(origins["--log"], "default");
  EXPECT_EQ(values["-X"], "sasl.password=***");
  std::string threshold;
  for (const json::Value& row : explained["values"]) {
    if (row["path"] == "model.threshold") threshold = row["origin"].get<std::string>();
  }
  EXPECT_EQ(threshold, "environment MILLRACE_SET");
}

TEST(Cli, UnknownTopicIs69AndAnEmptyOnePrintsNothing) {
  const Workplace place;
  ASSERT_EQ(place.run({"topics", "create", "telco-churn"}).exit_code, 0);
  const Finished empty = place.run({"topics", "dump", "telco.churn.predictions"});
  EXPECT_EQ(empty.exit_code, 0);
  EXPECT_TRUE(empty.out.empty());
  EXPECT_EQ(place.run({"topics", "dump", "nothing"}).exit_code, 69);
}

TEST(Cli, BadRowsAreListedByLineAndMakeTheExitCode65) {
  const Workplace place;
  const std::string good = place.simulate(3);
  place.write("in.ndjson", good + "{broken\n" + place.simulate(2, {"--seed", "5"}));
  const Finished strict = place.run({"produce", "telco-churn", "--data", "in.ndjson", "--json"});
  EXPECT_EQ(strict.exit_code, 65);
  EXPECT_EQ(strict.last_json()["sent"], 5);
  EXPECT_EQ(strict.last_json()["bad_rows"], 1);
  EXPECT_EQ(strict.last_json()["bad"][0]["line"], 4);
  EXPECT_NE(strict.err.find("line 4"), std::string::npos);
  EXPECT_EQ(
      place.run({"produce", "telco-churn", "--data", "in.ndjson", "--restart", "--allow-invalid"})
          .exit_code,
      0);
}

TEST(Cli, PredictWritesALineForEveryRowInOrder) {
  const Workplace place;
  place.train_telco();
  place.write("in.ndjson", place.simulate(2) + "{\"customerID\":\"7590-VHVEG\"}\n" +
                               place.simulate(1, {"--seed", "9"}));
  const Finished finished = place.run({"predict", "telco-churn", "--data", "in.ndjson"});
  EXPECT_EQ(finished.exit_code, 65);
  const auto lines = finished.json_lines();
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_TRUE(lines[2].contains("error"));
  EXPECT_FALSE(lines[3].contains("error"));
  EXPECT_TRUE(lines[0].contains("churn_probability"));
}

TEST(Cli, DryRunsChangeNothing) {
  const Workplace place;
  EXPECT_EQ(place.run({"produce", "telco-churn", "--count", "5", "--dry-run", "--json"})
                .last_json()["sent"],
            5);
  EXPECT_FALSE(std::filesystem::exists(place.file(".millrace/log.db")));
  place.train_telco(500);
  EXPECT_EQ(place.run({"score", "telco-churn", "--dry-run"}).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(place.file(".millrace/log.db")));
}

TEST(Cli, ClosedOutputIsNoError) {
  const Workplace place;
  const Finished piped = place.run({"simulate", "telco-churn", "--count", "0"});
  EXPECT_EQ(piped.exit_code, 0);
  EXPECT_TRUE(piped.out.empty());
}

TEST(Cli, SameDataAndSeedGiveTheSameModel) {
  const Workplace place;
  place.train_telco(800);
  ASSERT_EQ(place.run({"train", "telco-churn", "--data", "train.ndjson"}).exit_code, 0);
  const json::Value models =
      place.run({"model", "list", "telco-churn", "--json"}).last_json()["models"];
  ASSERT_EQ(models.size(), 2U);
  const auto digest = [](const json::Value& model) {
    const std::string version = model["version"].get<std::string>();
    return version.substr(version.find('-'));
  };
  EXPECT_EQ(digest(models[0]), digest(models[1]));
}

// A damaged version is listed as what it is, beside the good ones.
TEST(Cli, ModelListNamesADamagedVersion) {
  const Workplace place;
  place.train_telco(300);
  place.train_telco(400);
  const auto before = place.run({"model", "list", "telco-churn", "--json"}).last_json()["models"];
  ASSERT_EQ(before.size(), 2U);
  const std::string first = before[0]["version"].get<std::string>();
  place.write(".millrace/models/telco-churn/" + first + "/manifest.json", "{}");
  const Finished listed = place.run({"model", "list", "telco-churn"});
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_NE(listed.out.find("damaged"), std::string::npos) << listed.out;
  EXPECT_NE(listed.err.find("manifest.json"), std::string::npos) << listed.err;
  const auto after = place.run({"model", "list", "telco-churn", "--json"}).last_json()["models"];
  EXPECT_TRUE(after[0].contains("problem"));
  EXPECT_EQ(after[1]["version"], before[1]["version"]);
}

// What `init` writes trains, produces and scores without an edit.
TEST(Cli, InitPipelineWorksWithoutAnEdit) {
  const Workplace place;
  std::string csv = "id,plan,usage,seats,left\n";
  for (int i = 0; i < 400; ++i) {
    const bool left = i % 5 == 0 || i % 7 == 0;
    csv += "u" + std::to_string(1000 + i) + "," + (i % 3 == 0 ? "basic" : "pro") + "," +
           std::to_string((left ? 10.5 : 70.25) + i % 13) + "," + std::to_string(1 + i % 9) + "," +
           (left ? "yes" : "no") + "\n";
  }
  place.write("accounts.csv", csv);
  ASSERT_EQ(place.run({"init", "accounts", "--data", "accounts.csv", "--target", "left"}).exit_code,
            0);
  ASSERT_EQ(place.run({"validate", "accounts"}).exit_code, 0);
  ASSERT_EQ(place.run({"train", "accounts", "--data", "accounts.csv"}).exit_code, 0);
  ASSERT_EQ(place.run({"produce", "accounts", "--data", "accounts.csv"}).exit_code, 0);
  const json::Value scored =
      place.run({"score", "accounts", "--mode", "batch", "--json"}).last_json();
  EXPECT_EQ(scored["predicted"], 400);
  const auto messages = place.dump("accounts.predictions");
  ASSERT_EQ(messages.size(), 400U);
  const auto value = json::parse(messages[0]["value"].get<std::string>(), "prediction");
  for (const char* field : {"prediction", "probability", "model_version", "processed_ts"}) {
    EXPECT_TRUE(value->contains(field)) << field;
  }
}

// A log is named by one URL; what is wrong with it is said before anything is tried.
TEST(Cli, WrongLogsAreSaidAtOnce) {
  const Workplace place;
  for (const auto& [arguments, words] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--log", "kafak://x"}, "use sqlite:FILE or kafka://HOST:PORT"},
           {{"--log", "kafka://"}, "KAFKA_BOOTSTRAP_SERVERS"},
           {{"--log", "kafka://user:secret@x:1"}, "users and passwords are properties"},
           {{"--log", "sqlite:x.db", "--broker", "x:1"}, "give one of them"},
           {{"--log", "sqlite:x.db", "-X", "linger.ms=1"}, "the embedded log has none"}}) {
    std::vector<std::string> command = {"topics", "list"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const Finished refused = place.run(command);
    EXPECT_EQ(refused.exit_code, 2) << refused.err;
    EXPECT_NE(refused.err.find(words), std::string::npos) << refused.err;
  }
  for (const char* property : {"linger.mss=5", "acks=1", "linger.ms=soon"}) {
    const Finished refused =
        place.run({"topics", "list", "--log", "kafka://127.0.0.1:9", "-X", property});
    EXPECT_EQ(refused.exit_code, 78) << property << refused.err;
  }
}

TEST(Cli, ExplainShowsPropertiesOfKafkaWithoutTheirSecrets) {
  const Workplace place;
  place.write("pass", "open-sesame\n");
  const Finished explained =
      place.run({"explain", "telco-churn", "--json", "--log", "kafka://127.0.0.1:9", "-X",
                 "sasl_username=scorer", "-X", "sasl.password=${file:pass}"},
                {{"KAFKA_SECURITY_PROTOCOL", "SASL_SSL"}});
  ASSERT_EQ(explained.exit_code, 0) << explained.err;
  std::map<std::string, std::string> properties;
  const json::Value result = explained.last_json();
  for (const json::Value& row : result["kafka"])
    properties[row["property"].get<std::string>()] = row["value"].get<std::string>();
  EXPECT_EQ(properties["sasl.username"], "scorer");
  EXPECT_EQ(properties["security.protocol"], "SASL_SSL");
  EXPECT_EQ(properties["sasl.password"], "***");
  EXPECT_EQ(explained.out.find("open-sesame"), std::string::npos);
}

}  // namespace
}  // namespace millrace::integration
