#!/usr/bin/env bash
# Fuzz the Rust parsers: every target of crates/*/fuzz, or those named, for so many seconds each.
#
#   scripts/fuzz.sh [SECONDS] [CRATE/TARGET...]      e.g. scripts/fuzz.sh 600 dataplane/rx
#
# Builds as cargo-fuzz does, but with the compiler that is there: RUSTC_BOOTSTRAP lets a stable one take the
# flags of the address sanitizer. A find is left in crates/CRATE/fuzz/artifacts and ends the run with 1: keep it as a
# seed in the corpus when it is fixed. What is new in the corpus of this run stays in target/, out of git.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}
shift || true
host=$(rustc -vV | sed -n 's/^host: //p')
flags="--cfg fuzzing -Zsanitizer=address -Cdebug-assertions -Coverflow-checks -Ccodegen-units=1 -Cpasses=sancov-module"
for option in level=4 inline-8bit-counters pc-table trace-compares; do
  flags+=" -Cllvm-args=-sanitizer-coverage-$option"
done

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for file in crates/*/fuzz/fuzz_targets/*.rs; do
    crate=${file#crates/}
    targets+=("${crate%%/*}/$(basename "$file" .rs)")
  done
fi

for target in "${targets[@]}"; do
  crate=${target%/*} name=${target#*/}
  folder=crates/$crate/fuzz
  echo "== $target, $seconds s"
  RUSTC_BOOTSTRAP=1 RUSTFLAGS=$flags cargo build --quiet --locked --release --target "$host" \
    --manifest-path "$folder/Cargo.toml" --bin "$name"
  grown=$folder/target/corpus/$name
  mkdir -p "$grown" "$folder/artifacts/$name"
  "$folder/target/$host/release/$name" "$grown" "$folder/corpus/$name" -max_total_time="$seconds" \
    -artifact_prefix="$folder/artifacts/$name/" -print_final_stats=1 -verbosity=0 -timeout=10 -rss_limit_mb=1024
done
