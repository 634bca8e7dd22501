// The parts that reports of every kind of run have.
#pragma once

#include <cstdint>
#include <string>

#include "data/run_summary.h"

namespace millrace::report {

double share(std::uint64_t part, std::uint64_t whole);  // 0 of nothing
std::string stop_words(const std::string& reason);

// Dead letters by reason and by field, as bars.
std::string dead_letter_cards(const data::RunSummary& summary);
// "" without an entry.
std::string latency_card(const data::RunSummary& summary);
// Drift alerts as a table; "" where nothing was watched.
std::string alerts_card(const data::RunSummary& summary);

}  // namespace millrace::report
