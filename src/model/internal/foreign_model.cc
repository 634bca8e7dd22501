#include "model/internal/foreign_model.h"

#include <algorithm>

namespace millrace::model::internal {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kExport =
    "Export the model from Python as XGBoost JSON (booster.save_model('model.json')), LightGBM "
    "text "
    "or ONNX and bring it in with `millrace model import`, or train here with `millrace train`.";
constexpr std::string_view kImport =
    "Bring it in with `millrace model import`, or train here with `millrace train`.";

struct Magic {
  std::string_view bytes;
  std::string_view what;
  std::string_view way;
};

constexpr std::string_view kPickle =
    "a Python pickle (pickle or joblib); loading one runs the code in it, so millrace never does";
constexpr std::string_view kCompressed =
    "a compressed file (joblib writes such pickles); millrace never loads pickles";
constexpr std::string_view kZip =
    "a zip archive (skops, NumPy, PyTorch or Spark models are such archives)";

constexpr Magic kMagics[] = {
    {"ccopy_reg\n"sv, kPickle, kExport},
    {"ccopyreg\n"sv, kPickle, kExport},
    {"c__builtin__\n"sv, kPickle, kExport},
    {"csklearn."sv, kPickle, kExport},
    {"(dp0"sv, kPickle, kExport},
    {"(lp0"sv, kPickle, kExport},
    {"ZF0x"sv, kPickle, kExport},
    {"\x1f\x8b"sv, kCompressed, kExport},
    {"BZh"sv, kCompressed, kExport},
    {"\xfd"
     "7zXZ\0"sv,
     kCompressed, kExport},
    {"\x04\x22\x4d\x18"sv, kCompressed, kExport},
    {"\x5d\0\0\x80\0"sv, kCompressed, kExport},
    {"\x28\xb5\x2f\xfd"sv, kCompressed, kExport},
    {"PK\x03\x04"sv, kZip, kExport},
    {"PK\x05\x06"sv, kZip, kExport},
    {"\x89HDF"sv, "an HDF5 file (Keras)", kExport},
    {"\x93NUMPY"sv, "a NumPy array", kExport},
    {"CBM1"sv, "a CatBoost model", kExport},
    {"<?xml"sv, "XML (PMML perhaps)", kExport},
    {"binf"sv, "an XGBoost model in its old binary format", kExport},
    {"bs64"sv, "an XGBoost model in its old binary format", kExport},
    {"tree\nversion="sv, "a LightGBM text model", kImport},
};

bool is_pickle(std::string_view bytes) {  // protocol 2 to 5
  return bytes.size() >= 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5;
}

bool is_zlib(std::string_view bytes) {
  if (bytes.size() < 2 || bytes[0] != '\x78') return false;
  constexpr std::string_view kLevels = "\x01\x5e\x9c\xda";
  return kLevels.find(bytes[1]) != std::string_view::npos;
}

// A protobuf that starts with ModelProto's ir_version, followed by one of its other fields.
bool is_onnx(std::string_view bytes) {
  constexpr std::string_view kNextFields = "\x12\x1a\x22\x2a\x32\x3a\x42";
  return bytes.size() >= 3 && bytes[0] == '\x08' && bytes[1] >= 1 && bytes[1] <= 32 &&
         kNextFields.find(bytes[2]) != std::string_view::npos;
}

// '{' and the type letter of a key's length: no JSON text has such a second byte.
bool is_ubjson(std::string_view bytes) {
  constexpr std::string_view kTypes = "LiUIl$#";
  return bytes.size() >= 2 && bytes[0] == '{' && kTypes.find(bytes[1]) != std::string_view::npos;
}

bool is_xgboost_json(std::string_view bytes) {
  constexpr std::size_t kLook = 256;
  std::string start(bytes.substr(0, kLook));
  std::erase_if(start, [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; });
  return start.starts_with("{\"learner\":{") || start.starts_with("{\"version\":[");
}

std::string sentence(std::string_view what, std::string_view way) {
  return "it is " + std::string(what) + ". " + std::string(way);
}

}  // namespace

std::string describe_foreign_model(std::string_view bytes) {
  if (is_pickle(bytes)) return sentence(kPickle, kExport);
  for (const Magic& magic : kMagics) {
    if (bytes.starts_with(magic.bytes)) return sentence(magic.what, magic.way);
  }
  if (is_zlib(bytes)) return sentence(kCompressed, kExport);
  if (is_onnx(bytes)) return sentence("an ONNX model", kImport);
  if (is_ubjson(bytes)) return sentence("an XGBoost model in UBJSON", kExport);
  if (is_xgboost_json(bytes)) return sentence("an XGBoost JSON model", kImport);
  return {};
}

}  // namespace millrace::model::internal
