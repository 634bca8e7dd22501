// Checksums and hashes that formats depend on; none is cryptographic (digests are in env).
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace {

// CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected) of `bytes`, continuing from `crc` (0 to
// start). crc32c("123456789") = 0xE3069283.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

// murmur2 as Kafka's Java client hashes keys (seed 0x9747b28c); partition = (hash & 0x7fffffff) %
// partitions.
std::uint32_t murmur2(std::string_view bytes);

// The partition that Kafka's default partitioner gives to `key`; partitions > 0.
std::int32_t partition_for_key(std::string_view key, std::int32_t partitions);

// 64-bit mixing of `bytes` for hash tables and hash splits; stable over versions (wyhash-like,
// documented in hash.cc).
std::uint64_t stable_hash64(std::string_view bytes, std::uint64_t seed = 0);

}  // namespace millrace
