#!/usr/bin/env bash
# Installs the Debian packages that are missing for the named purposes:
#   build  what `make setup` and a running gateway need
#   test   what the linters and the tests need besides
#   lab    what the guests with real peers need of this host
#   fuzz   what `make fuzz` needs besides
#   bench  what `make bench` compares with
# Without root it only says what is missing; that is an error for `build`, and for the others means skipped tests.
set -euo pipefail

build=(ca-certificates python3-venv gcc libc6-dev make iproute2 nftables)
test=(chromium conntrack dbus-daemon freeradius freeradius-utils git iperf3 iputils-ping kmod libsystemd-shared
  poppler-utils procps prometheus psmisc rsyslog rsyslog-gnutls systemd tcpdump tshark)
lab=(apt dpkg iproute2 nftables procps tar util-linux)
fuzz=(g++)
bench=(openssl openvpn wireguard-go wireguard-tools)

# Debian's plain rustc is too old for the bindings; its -web packages carry a current one.
rust_is_new_enough() {
  command -v cargo >/dev/null && command -v rustc >/dev/null &&
    printf '1.87\n%s\n' "$(rustc --version | awk '{print $2}')" | sort -VC
}

wanted=()
required=false
for purpose in "$@"; do
  case $purpose in
    build)
      required=true
      wanted+=("${build[@]}")
      rust_is_new_enough || wanted+=(cargo-web rustc-web)
      ;;
    test)
      wanted+=("${test[@]}")
      command -v cargo-clippy >/dev/null || wanted+=(rust-web-clippy)
      command -v rustfmt >/dev/null || wanted+=(rustfmt-web)
      ;;
    lab) wanted+=("${lab[@]}") ;;
    fuzz) wanted+=("${fuzz[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    *) echo "system-packages: unknown purpose '$purpose' (build, test, lab, fuzz, bench)" >&2; exit 2 ;;
  esac
done

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if ((${#missing[@]} == 0)); then exit 0; fi
if ((EUID != 0)); then
  echo "Missing Debian packages: ${missing[*]}" >&2
  echo "As root: apt-get install ${missing[*]}" >&2
  if $required; then exit 1; else exit 0; fi
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "${missing[@]}"
