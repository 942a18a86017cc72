#include "stage1-standalone/stage1_program.h"

int main(int argc, char** argv) { return tinykv::RunServer(tinykv::Stage1Program(), argc, argv); }
