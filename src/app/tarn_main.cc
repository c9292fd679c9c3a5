#include "app/program.h"

int main(int count, char** words) {
  return tarn::app::run_program(count, words);
}
