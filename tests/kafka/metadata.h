// What a broker tells its clients, as kcat sees it.
#pragma once

#include <set>
#include <string>

namespace millrace::kafka_testing {

// Ids of the brokers that `bootstrap` tells its clients about; empty when it does not answer.
// `more` are further arguments of kcat.
std::set<int> brokers_seen_from(const std::string& bootstrap, const std::string& more = "");
// Whether they are `ids`, now or soon: a cold broker may take seconds for its first answers.
bool sees_brokers(const std::string& bootstrap, const std::set<int>& ids,
                  const std::string& more = "");

}  // namespace millrace::kafka_testing
