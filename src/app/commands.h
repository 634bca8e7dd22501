// Every command of the program: one function a file, each declares its flags and its action.
#pragma once

namespace millrace::app {

class CommandLine;

void register_demo(CommandLine& line);
void register_init(CommandLine& line);
void register_validate(CommandLine& line);
void register_explain(CommandLine& line);
void register_doctor(CommandLine& line);
void register_topics(CommandLine& line);
void register_produce(CommandLine& line);
void register_score(CommandLine& line);
void register_train(CommandLine& line);
void register_evaluate(CommandLine& line);
void register_tune(CommandLine& line);
void register_predict(CommandLine& line);
void register_transform(CommandLine& line);
void register_model(CommandLine& line);
void register_dlq(CommandLine& line);
void register_groups(CommandLine& line);
void register_tap(CommandLine& line);
void register_top(CommandLine& line);
void register_trace(CommandLine& line);
void register_health(CommandLine& line);
void register_log(CommandLine& line);
void register_simulate(CommandLine& line);
void register_sink(CommandLine& line);
void register_reference(CommandLine& line);
void register_version(CommandLine& line);

// All of the above, in the order of the help.
void register_commands(CommandLine& line);

}  // namespace millrace::app
