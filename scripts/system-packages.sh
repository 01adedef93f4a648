#!/usr/bin/env bash
# Installs the Debian packages that are missing for the named purposes: build (also what a gateway needs at run time), test.
# Without root it only says what is missing.
set -euo pipefail

build=(python3-venv gcc libc6-dev make iproute2 nftables)
test=(conntrack iperf3 iputils-ping tcpdump procps kmod psmisc git)

wanted=()
for purpose in "$@"; do
  case $purpose in
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${test[@]}") ;;
    *) echo "system-packages: unknown purpose '$purpose' (build, test)" >&2; exit 2 ;;
  esac
done
# Debian's plain rustc is too old for the bindings; its -web packages carry a current one.
rust_is_new_enough() {
  command -v cargo >/dev/null && command -v rustc >/dev/null &&
    printf '1.87\n%s\n' "$(rustc --version | awk '{print $2}')" | sort -VC
}
if [[ " $* " == *" build "* ]] && ! rust_is_new_enough; then wanted+=(cargo-web rustc-web); fi

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if ((${#missing[@]} == 0)); then exit 0; fi
if ((EUID != 0)); then
  echo "Missing Debian packages: ${missing[*]}" >&2
  echo "As root: apt-get install ${missing[*]}" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "${missing[@]}"
