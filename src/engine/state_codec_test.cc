#include "engine/state_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace millrace::engine {
namespace {

std::vector<std::uint64_t> bits_of(const std::vector<double>& values) {
  std::vector<std::uint64_t> bits;
  for (const double value : values) bits.push_back(std::bit_cast<std::uint64_t>(value));
  return bits;
}

void expect_kept(const std::vector<double>& values) {
  std::string text;
  encode_state({Offset(-7), Timestamp(1'078'930'800'000)}, values, text);
  StateHead head;
  std::vector<double> back(values.size(), -1);
  ASSERT_EQ(decode_state(text, head, back), StateForm::kGood);
  EXPECT_EQ(bits_of(back), bits_of(values));
  EXPECT_EQ(head.offset, Offset(-7));
  EXPECT_EQ(head.time, Timestamp(1'078'930'800'000));
}

TEST(StateCodec, EveryBitIsKept) {
  using Limits = std::numeric_limits<double>;
  expect_kept({});
  expect_kept({0, -0.0, 1, -1, 32'767, 32'768, -32'768, -32'769, 2'147'483'647, 2'147'483'648,
               -2'147'483'648.0, -2'147'483'649.0, 0.5, 1e300, Limits::denorm_min(),
               Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(),
               std::bit_cast<double>(std::uint64_t{0x7ff8000000000123})});
}

RC_GTEST_PROP(StateCodec, AnyValuesReadBack, (const std::vector<std::uint64_t>& bits)) {
  std::vector<double> values;
  for (const std::uint64_t one : bits) {
    const bool whole = one % 3 != 0;
    values.push_back(whole ? static_cast<double>(static_cast<std::int64_t>(one) >> (one % 64))
                           : std::bit_cast<double>(one));
  }
  expect_kept(values);
}

TEST(StateCodec, ZerosAndSmallIntegersTakeLittleRoom) {
  std::string text;
  encode_state({Offset(1), Timestamp(2)}, std::vector<double>{0, 0, 25, 490'000, 0.25}, text);
  EXPECT_EQ(text.size(), 4U + 16U + 2U + 2U + 4U + 8U);
}

TEST(StateCodec, TheFormBeforeIsRead) {
  const std::vector<double> values{1.5, -2};
  const std::int64_t numbers[] = {41, 1000};
  std::string text = "MRS1";
  text.append(reinterpret_cast<const char*>(numbers), sizeof numbers);
  text.append(reinterpret_cast<const char*>(values.data()), 2 * sizeof(double));
  StateHead head;
  std::vector<double> back(2);
  ASSERT_EQ(decode_state(text, head, back), StateForm::kGood);
  EXPECT_EQ(back, values);
  EXPECT_EQ(head.offset, Offset(41));
  EXPECT_EQ(head.time, Timestamp(1000));
  back.resize(3);
  EXPECT_EQ(decode_state(text, head, back), StateForm::kOtherSize);
}

TEST(StateCodec, WhatWasCutOrIsOfOthersIsRefused) {
  std::string text;
  encode_state({Offset(1), Timestamp(2)}, std::vector<double>{1, 0.5, 70'000, 0, 9}, text);
  StateHead head;
  std::vector<double> values(5);
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_NE(decode_state(std::string_view(text).substr(0, size), head, values), StateForm::kGood);
  }
  EXPECT_EQ(decode_state(text + "x", head, values), StateForm::kOtherSize);
  EXPECT_EQ(decode_state("MRS9" + text.substr(4), head, values), StateForm::kNotAState);
  values.resize(9);
  EXPECT_EQ(decode_state(text, head, values), StateForm::kOtherSize);
}

}  // namespace
}  // namespace millrace::engine
