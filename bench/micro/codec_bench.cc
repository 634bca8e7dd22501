// CPU time of one telco record in codec: read and encode a row, decode a message, write a
// prediction; beside simdjson alone on the same messages. One line of JSON a figure.
#include <simdjson.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/arena.h"
#include "base/check.h"
#include "codec/prediction_writer.h"
#include "codec/record_decoder.h"
#include "codec/table_reader.h"
#include "codec/testing/telco.h"
#include "env/clock.h"
#include "env/file.h"

namespace millrace::codec {
namespace {

constexpr std::size_t kRows = 10'000;
constexpr std::size_t kRounds = 51;
constexpr std::size_t kBatch = 500;  // records that are processed at the same time

// Rows as the public file has them, with values that vary.
std::string telco_csv() {
  std::string csv =
      "customerID,gender,SeniorCitizen,Partner,Dependents,tenure,PhoneService,MultipleLines,"
      "InternetService,OnlineSecurity,OnlineBackup,DeviceProtection,TechSupport,StreamingTV,"
      "StreamingMovies,Contract,PaperlessBilling,PaymentMethod,MonthlyCharges,TotalCharges,Churn\n";
  const char* const contracts[] = {"Month-to-month", "One year", "Two year"};
  const char* const services[] = {"No", "Yes", "No internet service"};
  const char* const payments[] = {"Electronic check", "Mailed check", "Bank transfer (automatic)",
                                  "Credit card (automatic)"};
  for (std::size_t i = 0; i < kRows; ++i) {
    const std::size_t mix = i * 2654435761U >> 7;
    const std::string id = std::to_string(1000 + i % 9000);
    csv += id + "-VHVEG,";
    csv += (mix % 2 != 0) ? "Female,0,Yes,No," : "Male,1,No,No,";
    csv += std::to_string(mix % 73) + ",Yes,No,Fiber optic,";
    for (std::size_t s = 0; s < 6; ++s) csv += std::string(services[(mix >> s) % 3]) + ",";
    csv += std::string(contracts[mix % 3]) + ",Yes," + payments[mix % 4] + ",";
    csv += std::to_string(18 + mix % 100) + "." + std::to_string(mix % 10) + "5,";
    csv += std::to_string(mix % 8000) + "." + std::to_string(mix % 10) + ",No\n";
  }
  return csv;
}

class CsvFile {
 public:
  CsvFile() : folder_(std::move(*env::TemporaryFolder::make("bench"))) {
    CHECK(env::write_file_atomic(folder_.path() / "telco.csv", telco_csv()).has_value());
  }
  TableReader open() const {
    auto reader = TableReader::open(folder_.path() / "telco.csv", TableFormat::kCsv, {},
                                    testing::telco_schema());
    CHECK(reader.has_value());
    return std::move(*reader);
  }

 private:
  env::TemporaryFolder folder_;
};

// Keeps the compiler from dropping what nobody reads.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

// Runs `work`, which does kRows records, and prints its CPU time a record: median, least and most
// of the rounds.
template <class Work>
void measure(const char* figure, Work&& work) {
  std::vector<double> ns;
  for (std::size_t round = 0; round <= kRounds; ++round) {
    const Nanoseconds start = env::thread_cpu_time();
    work();
    const Nanoseconds taken = env::thread_cpu_time() - start;
    if (round > 0) ns.push_back(static_cast<double>(taken.count()) / kRows);  // the first warms up
  }
  std::sort(ns.begin(), ns.end());
  std::printf(
      "{\"bench\":\"codec\",\"figure\":\"%s\",\"unit\":\"ns\",\"median\":%.1f,"
      "\"min\":%.1f,\"max\":%.1f}\n",
      figure, ns[ns.size() / 2], ns.front(), ns.back());
}

// Messages as produce would send them, one behind the other as in a batch of the log.
struct Messages {
  explicit Messages(const CsvFile& file) {
    TableReader reader = file.open();
    RowEncoder encoder(testing::telco_schema(), reader.columns(), {});
    TableRow row;
    std::string message;
    while (*reader.read(row)) {
      encoder.encode(row, "event_ts", "2025-10-11T03:28:23.234Z", message);
      values.push_back(arena.copy(message));
    }
    CHECK(values.size() == kRows);
  }
  Arena arena;
  std::vector<std::string_view> values;
};

void measure_rows(const CsvFile& file) {
  TableRow row;
  measure("read_row", [&] {
    TableReader reader = file.open();
    while (*reader.read(row)) keep(row);
  });
  std::string message;
  measure("read_and_encode_row", [&] {
    TableReader reader = file.open();
    RowEncoder encoder(testing::telco_schema(), reader.columns(), {});
    while (*reader.read(row)) {
      encoder.encode(row, "event_ts", "2025-10-11T03:28:23.234Z", message);
      keep(message);
    }
  });
}

void measure_decode(const Messages& messages) {
  const auto schema = testing::telco_schema();
  std::vector<data::Cell> cells(schema.size());
  data::RecordErrors errors;
  for (const auto& [figure, reading] : {std::pair("decode_message", Reading::kPredicted),
                                        std::pair("decode_message_by_document", Reading::kWhole)}) {
    auto decoder = RecordDecoder::make(schema, Purpose::kScoring, {}, reading);
    CHECK(decoder.has_value());
    measure(figure, [&] {
      for (const std::string_view value : messages.values) {
        CHECK(decoder->decode(value, cells, errors));
        keep(cells);
      }
    });
  }
  simdjson::dom::parser parser;
  measure("simdjson_parse_only", [&] {
    for (const std::string_view value : messages.values) {
      simdjson::dom::element root;
      CHECK(parser.parse(value.data(), value.size(), false).get(root) == simdjson::SUCCESS);
      keep(root);
    }
  });
}

void measure_predictions() {
  PredictionWriter writer({}, "3-0a1b2c3d");
  std::string message;
  measure("write_prediction", [&] {
    for (std::size_t i = 0; i < kRows; ++i) {
      const double probability = round_to(static_cast<double>(i * 7919 % 10'007) / 10'007, 6);
      writer.write({"7760-OYPDY", probability, "Yes", "2025-10-11T03:28:23.234190Z",
                    Timestamp(1'760'153'303'300 + static_cast<std::int64_t>(i / kBatch)), 9.92},
                   message);
      keep(message);
    }
  });
}

}  // namespace
}  // namespace millrace::codec

int main() {
  const millrace::codec::CsvFile file;
  millrace::codec::measure_rows(file);
  millrace::codec::measure_decode(millrace::codec::Messages(file));
  millrace::codec::measure_predictions();
  return 0;
}
