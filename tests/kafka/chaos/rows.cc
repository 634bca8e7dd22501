#include "kafka/chaos/rows.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "base/check.h"

namespace millrace::kafka_testing {
namespace {

constexpr int kKeysOfAProducer = 500;
constexpr double kBrokenShare = 0.01;
constexpr std::string_view kKeyField = "\"customerID\":\"";
constexpr std::size_t kKeySize = 10;
constexpr std::string_view kBreakable = "\"Partner\":\"";

std::string key_text(int key) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04d-CHAOS", key);
  return text.data();
}

std::string time_text(std::int64_t ms) {
  const auto seconds = static_cast<std::time_t>(ms / 1'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%s.%03dZ", date.data(), static_cast<int>(ms % 1'000));
  return text.data();
}

}  // namespace

Rows::Rows(const std::string& templates, int producers, std::uint64_t seed, std::int64_t first_ms)
    : producers_(producers), random_(seed) {
  given_.first_ms = first_ms;
  std::size_t start = 0;
  while (start < templates.size()) {
    const std::size_t end = std::min(templates.find('\n', start), templates.size());
    templates_.push_back(templates.substr(start, end - start));
    start = end + 1;
  }
  CHECK(!templates_.empty());
}

std::vector<std::string> Rows::make(int count) {
  std::vector<std::string> files(static_cast<std::size_t>(producers_));
  for (int i = 0; i < count; ++i) {
    const auto producer = static_cast<int>(random_.below(static_cast<std::uint64_t>(producers_)));
    const int key = static_cast<int>(random_.below(kKeysOfAProducer)) * producers_ + producer;
    const bool broken = random_.uniform() < kBrokenShare;
    std::string row = templates_[random_.below(templates_.size())];
    const std::size_t at = row.find(kKeyField);
    CHECK(at != std::string::npos);
    row.replace(at + kKeyField.size(), kKeySize, key_text(key));
    if (broken) {
      const std::size_t field = row.find(kBreakable);
      CHECK(field != std::string::npos);
      row.insert(field + kBreakable.size(), "not ");
    }
    const std::int64_t time = given_.first_ms + static_cast<std::int64_t>(given_.keys.size());
    row.insert(1, "\"event_ts\":\"" + time_text(time) + "\",");
    given_.keys.push_back(key_text(key));
    given_.broken.push_back(broken);
    files[static_cast<std::size_t>(producer)] += row + "\n";
  }
  return files;
}

}  // namespace millrace::kafka_testing
