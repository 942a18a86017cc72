#include "stage2-raftkv/stage2_program.h"

int main(int argc, char** argv) { return tinykv::RunServer(tinykv::Stage2Program(), argc, argv); }
