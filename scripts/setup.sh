# Make or reuse the virtual environment .venv and install drmkit into it with the extras named in $1.
# Sourced by demo, test and bench, from the top of the checkout. Doing it again is quick: nothing is installed twice.

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  echo "drmkit needs Python 3.11 or newer; name one with PYTHON=/path/to/python" >&2
  return 1
}

set_up() {
  local extras=$1 python stamp log
  stamp=".venv/.drmkit-$extras-$(cksum <pyproject.toml | tr ' ' '-')"
  if [ -e "$stamp" ] && .venv/bin/python -c 'import drmkit' 2>/dev/null; then
    return
  fi
  python=$(find_python)
  if ! [ -x .venv/bin/python ] || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    echo "setting up: a virtual environment in .venv, with $("$python" --version)" >&2
    if ! "$python" -m venv --clear .venv >&2; then
      echo "the venv module is missing: on Debian, apt-get install python3-venv" >&2
      return 1
    fi
  fi
  echo "setting up: installing drmkit[$extras] into .venv" >&2
  log=$(mktemp)
  if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[$extras]" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
  touch "$stamp"
}

# Install the programs that only tests use, named as program:package, where they are missing and that is possible.
set_up_programs() {
  local entry missing=()
  for entry in "$@"; do
    command -v "${entry%%:*}" >/dev/null || missing+=("${entry##*:}")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "some tests will be skipped; they need: ${missing[*]}" >&2
    return
  fi
  echo "setting up: ${missing[*]}, from Debian's packages" >&2
  apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

# Install Shaka Player, which the browser tests play with, from npm into node_modules, where that is possible.
set_up_player() {
  [ -e node_modules/shaka-player/dist/shaka-player.compiled.js ] && return
  if ! command -v npm >/dev/null; then
    echo "the browser tests will be skipped; they need npm to install shaka-player" >&2
    return
  fi
  echo "setting up: shaka-player, from npm" >&2
  npm install --silent --ignore-scripts --no-audit --no-fund --no-save --no-package-lock --prefix . \
    "shaka-player@>=5.2" >/dev/null ||
    echo "the browser tests will be skipped: npm could not install shaka-player" >&2
}
