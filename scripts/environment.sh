# Sourced by the other scripts: makes .venv at the top of the checkout and installs the project into it.
#
#   . scripts/environment.sh
#   install_project demo .              # name of the set, then what pip installs
#
# A set is installed again only when pyproject.toml has changed since.

find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed (Debian 12, Ubuntu 24.04 and later have it: apt-get install python3)." >&2
    return 1
}

# Installs a package of Debian or Ubuntu; fails where that takes a password, another system or a network.
install_package() {
    command -v apt-get >/dev/null 2>&1 || return 1
    if [ "$(id -u)" = 0 ]; then
        as_root=""
    elif sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        return 1
    fi
    echo "Installing $1 …" >&2
    $as_root apt-get update -qq >/dev/null 2>&1 || true
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$1" >/dev/null 2>&1
}

make_environment() {
    [ -x .venv/bin/python ] && .venv/bin/python -m pip --version >/dev/null 2>&1 && return
    python=$(find_python)
    echo "Making .venv with $("$python" --version) …" >&2
    if "$python" -m venv --clear .venv >/dev/null 2>&1; then
        return
    fi
    # Debian and Ubuntu ship venv apart from Python.
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if ! install_package "$package"; then
        echo "python -m venv does not work here. Run once: sudo apt-get install $package" >&2
        return 1
    fi
    "$python" -m venv --clear .venv
}

install_project() {
    set_name=$1
    shift
    make_environment
    stamp=.venv/.installed-$set_name
    if [ ! -e "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
        echo "Installing the project and what it needs ($set_name) …" >&2
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
        .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
        touch "$stamp"
    fi
}
