# Builds the layer into $(ARTIFACTS_DIR), for $(ARCHITECTURE). `sam build` starts it through arm64/Makefile or
# x86_64/Makefile, in a scratch copy of this folder, with ARTIFACTS_DIR set.

platform.arm64 := manylinux2014_aarch64
platform.x86_64 := manylinux2014_x86_64

# Asked from the Makefile's own folder, because the scratch copy lies outside the project, where a version manager's
# python3.13 does not know which Python the project wants.
PYTHON ?= $(shell cd "$(dir $(firstword $(MAKEFILE_LIST)))" && python3.13 -c 'import sys; print(sys.executable)')

install = "$(PYTHON)" -m pip install --quiet --disable-pip-version-check --no-input --root-user-action=ignore --no-compile
site := $(ARTIFACTS_DIR)/python
backend := $(ARTIFACTS_DIR)/backend

# Wheels of the functions' platform, whatever machine this is: their C extensions must load there, not here. Every file
# is checked against its hash in requirements.txt.
#
# The core is installed as the package that pyproject.toml describes. Its build backend is locked in build.txt.
#
# The layer is byte for byte the same wherever it is built, so that an unchanged layer is not deployed again. That is why
# the console scripts (they name this machine's Python), the RECORDs that list them and the path of this copy are
# removed, and why the bytecode carries its source's hash instead of a time. Bytecode is shipped because a function
# cannot keep any: without it every cold start compiles some 250 modules, and takes twice as long to import them.
build-Layer:
	@test -n "$(PYTHON)" || { echo "The layer is built by pip of Python 3.13: put python3.13 on PATH." >&2; exit 1; }
	$(install) --require-hashes --only-binary=:all: \
		--platform $(platform.$(ARCHITECTURE)) --implementation cp --python-version 3.13 \
		--target "$(site)" --requirement requirements.txt
	$(install) --require-hashes --only-binary=:all: --target "$(backend)" --requirement build.txt
	PYTHONPATH="$(backend)" $(install) --no-index --no-deps --no-build-isolation --target "$(site)" .
	rm -rf "$(backend)" "$(site)/bin" "$(site)"/*.dist-info/RECORD "$(site)"/*.dist-info/direct_url.json
	find "$(site)" -name __pycache__ -prune -exec rm -rf {} +
	"$(PYTHON)" -m compileall -q --invalidation-mode unchecked-hash -s "$(site)" -p /opt/python "$(site)"
