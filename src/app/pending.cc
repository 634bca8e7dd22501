// Commands whose parts are on their way.
#include "app/commands.h"

namespace millrace::app {

void register_log(CommandLine& /*line*/) {}
void register_doctor(CommandLine& /*line*/) {}
void register_init(CommandLine& /*line*/) {}

}  // namespace millrace::app
