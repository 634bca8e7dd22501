#include "kafka/chaos/oracle.h"

#include <algorithm>
#include <map>

namespace millrace::kafka_testing {
namespace {

class Judge {
 public:
  Judge(const Given& given, std::size_t begin, std::size_t end)
      : given_(given), begin_(begin), end_(end) {}

  // How often each row is among `messages`.
  std::vector<int> count(const std::vector<Seen>& messages, Verdict& verdict) const {
    std::vector<int> times(end_ - begin_, 0);
    std::map<std::string, std::size_t> last;  // row of each key so far
    for (const Seen& seen : in_order_of_offsets(messages)) {
      const std::int64_t row = seen.timestamp_ms - given_.first_ms;
      const bool known = row >= 0 && row < static_cast<std::int64_t>(given_.keys.size());
      const auto index = static_cast<std::size_t>(known ? row : 0);
      if (!known || given_.keys[index] != seen.key) {
        ++verdict.wrong;
        continue;
      }
      if (index < begin_ || index >= end_) continue;
      ++times[index - begin_];
      const auto [at, first] = last.emplace(seen.key, index);
      if (!first && index < at->second) ++verdict.out_of_order;
      at->second = std::max(at->second, index);
    }
    return times;
  }

 private:
  // Keys stay on one partition, so the order among partitions does not matter.
  static std::vector<Seen> in_order_of_offsets(std::vector<Seen> messages) {
    std::sort(messages.begin(), messages.end(), [](const Seen& a, const Seen& b) {
      return a.partition != b.partition ? a.partition < b.partition : a.offset < b.offset;
    });
    return messages;
  }

  const Given& given_;
  std::size_t begin_;
  std::size_t end_;
};

std::size_t surplus(int times) { return times > 1 ? static_cast<std::size_t>(times - 1) : 0; }

}  // namespace

Verdict judge(const Given& given, std::size_t begin, std::size_t end, const Topics& topics) {
  Verdict verdict;
  const Judge judge(given, begin, end);
  const std::vector<int> in = judge.count(topics.inputs, verdict);
  const std::vector<int> out = judge.count(topics.outputs, verdict);
  const std::vector<int> dead = judge.count(topics.dead_letters, verdict);
  for (std::size_t i = 0; i < in.size(); ++i) {
    verdict.inputs += in[i] > 0 ? 1 : 0;
    verdict.outputs += static_cast<std::size_t>(out[i]);
    verdict.dead_letters += static_cast<std::size_t>(dead[i]);
    verdict.missing += (in[i] == 0 ? 1 : 0) + (out[i] + dead[i] == 0 ? 1 : 0);
    if (in[i] == 0) verdict.not_on_input.push_back(begin + i);
    if (out[i] + dead[i] == 0) verdict.without_output.push_back(begin + i);
    verdict.twice += surplus(in[i]) + surplus(out[i] + dead[i]);
    const int on_the_wrong_topic = given.broken[begin + i] ? out[i] : dead[i];
    verdict.wrong += on_the_wrong_topic > 0 ? 1 : 0;
  }
  return verdict;
}

}  // namespace millrace::kafka_testing
