// The program; everything is in src/app.
#include "app/session.h"

int main(int argc, char** argv) { return millrace::app::run_program(argc, argv); }
