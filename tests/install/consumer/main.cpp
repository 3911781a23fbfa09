#include <cstdio>

#include "isofield/version.hpp"

int main() { std::printf("Isofield %s\n", isofield::version()); }
