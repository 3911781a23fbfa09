/* A tool for Kokkos that remembers which regions it is told of. */
#include <stdio.h>
#include <string.h>

static char regions[4096];
static int depth;

void kokkosp_push_profile_region(const char* name) {
  ++depth;
  if (strlen(regions) + strlen(name) + 2 < sizeof regions) {
    strcat(regions, name);
    strcat(regions, "\n");
  }
}

void kokkosp_pop_profile_region(void) { --depth; }

/* Each region's name, a line each; empty where one is still open. */
const char* regions_so_far(void) { return depth == 0 ? regions : ""; }
