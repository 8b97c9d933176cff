# make install       everything, with mmpose and mmaction2, into .venv      make test    install what is missing, run the tests
# make install-core  only what SignBERT itself needs, and the test tools    make lint    ruff
# make demo          the whole main job on synthetic signs                  make clean   remove .venv and what was built
# make test-values   the tests of values as two older processors compute them: without AVX-512, without AVX2
# make zoo           small release files of the trained models, into zoo/; trains what is not trained yet
#
# make install-extract  what tools/extract_poses.py needs: PyAV, MediaPipe
# make install-extract-tasks  the same with the newer MediaPipe, for numpy 2 and Python 3.13; needs model files
# make install-app      what demo/app.py needs: that, and Gradio (Python 3.10 or newer)
# make install-deploy   what the export to ONNX needs
# make install-formats  what models of the Hugging Face Hub and .parquet files need
# make docs             the pages as HTML, into build/docs; Python 3.10 or newer
#
# PYTHON=python3.10    another interpreter (3.9 to 3.11; 3.12 and 3.13 for install-core)
# TORCH_INDEX=URL      another build of torch, for example TORCH_INDEX=https://download.pytorch.org/whl/cpu (the default index brings CUDA on Linux)
# VENV=DIR             another place than .venv
# CAPABILITY=avx2      tests as an older processor computes them: avx2, or default, which has no AVX2 either

SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
TORCH_INDEX ?=
PYTEST_ARGS ?=
CAPABILITY ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
OPENCV := opencv-python-headless==4.11.0.86

.PHONY: install install-core install-extract install-extract-tasks install-app install-deploy install-formats demo zoo docs
.PHONY: test test-values lint format clean

install: $(VENV)/.full
install-core: $(VENV)/.core
install-extract: $(VENV)/.extract
install-extract-tasks: $(VENV)/.extract_tasks
install-app: $(VENV)/.app
install-deploy: $(VENV)/.deploy
install-formats: $(VENV)/.formats

demo: $(VENV)/.core
	$(BIN)/python demo/run_demo.py

zoo: $(VENV)/.core
	$(BIN)/python tools/misc/make_zoo.py

# the source folder is the repository: pages link to files beside docs/
docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -b html -c docs -d build/doctrees . build/docs

# one thread a process: two pytest workers share the cores, and sums do not depend on the machine
test: $(VENV)/.full $(VENV)/.extract $(VENV)/.deploy $(VENV)/.formats
	$(call as,$(CAPABILITY)) OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST_ARGS)

# What decides the order of a sum: torch's kernels, oneDNN and MKL under it, NumPy's loops and its OpenBLAS.
# A processor that lacks a named feature, or is no x86, leaves these names without effect.
NO_AVX512 := AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL
AS_avx2 := ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 \
	OPENBLAS_CORETYPE=Haswell NPY_DISABLE_CPU_FEATURES="$(NO_AVX512)"
AS_default := ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 MKL_ENABLE_INSTRUCTIONS=SSE4_2 \
	OPENBLAS_CORETYPE=Nehalem NPY_DISABLE_CPU_FEATURES="$(NO_AVX512) AVX2 FMA3"
# the variables of a capability; none for the processor's own
as = $(if $(1),$(or $(AS_$(1)),$(error CAPABILITY=$(1) is neither avx2 nor default)))
VALUES := $(addprefix tests/,test_draws.py test_layouts test_hand_models test_structures test_models \
	test_evaluation test_apis test_datasets/test_synthetic.py test_datasets/test_hand_rule.py)
# of whole trainings, compilers and exports, which take long and have their values checked elsewhere
NO_VALUES := $(addprefix --ignore=tests/,test_models/test_compile.py test_models/test_no_waiting.py \
	test_models/test_recognizers/test_rgb_configs.py test_models/test_recognizers/test_mmaction_checkpoints.py \
	test_models/test_recognizers/test_mmaction_recognizer.py test_hand_models/test_check_hand_model.py \
	test_apis/test_app.py test_apis/test_app_browser.py test_apis/test_demos.py \
	test_apis/test_export.py test_apis/test_export_st_consistency.py) \
	--deselect=tests/test_models/test_pretrainers/test_st_consistency.py::test_a_compiled_step_of_several_batches
VALUE_TESTS := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 \
	$(BIN)/python -m pytest -n 2 --dist worksteal $(VALUES) $(NO_VALUES) $(PYTEST_ARGS)

test-values: $(VENV)/.core
	$(foreach name,$(or $(CAPABILITY),avx2 default),$(call as,$(name)) $(VALUE_TESTS) &&) true

lint: $(VENV)/.core
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.core
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python found. Install Python 3.11 (Debian: apt-get install python3.11 python3.11-venv), or make PYTHON=/path/to/python." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9))' || { echo "$(PYTHON) is older than Python 3.9; name another: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: apt-get install python3-venv (or python3.11-venv), then make again." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# opencv-python needs libGL, which a server lacks; the headless build takes over its files, so it comes last
$(VENV)/.core: $(BIN)/python setup.py constraints.txt requirements/base.txt requirements/train.txt requirements/mmcv.txt requirements/dev.txt
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(PIP) "setuptools<81" wheel
	$(PIP) -e ".[core,dev]"
	$(PIP) --no-deps --force-reinstall $(OPENCV)
	@touch $@

$(VENV)/.full: $(VENV)/.core requirements/openmmlab.txt requirements/openmmlab_no_deps.txt requirements/pose.txt
	$(PIP) -r requirements/openmmlab.txt -r requirements/pose.txt
	$(PIP) --no-deps -r requirements/openmmlab_no_deps.txt
	$(PIP) --no-deps --force-reinstall $(OPENCV)
	@touch $@

$(VENV)/.extract: $(VENV)/.core requirements/extract.txt requirements/mediapipe.txt
	$(PIP) -r requirements/extract.txt
	$(PIP) --no-deps -r requirements/mediapipe.txt
	@touch $@

$(VENV)/.extract_tasks: $(VENV)/.core requirements/extract_tasks.txt requirements/mediapipe_tasks.txt
	$(PIP) -r requirements/extract_tasks.txt
# constraints.txt has the MediaPipe of install-extract, which this one replaces
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps -r requirements/mediapipe_tasks.txt
	@touch $@

$(VENV)/.deploy: $(VENV)/.core requirements/deploy.txt
	$(PIP) -r requirements/deploy.txt
	@touch $@

$(VENV)/.formats: $(VENV)/.core requirements/hub.txt requirements/parquet.txt
	$(PIP) -r requirements/hub.txt -r requirements/parquet.txt
	@touch $@

$(VENV)/.docs: $(VENV)/.core requirements/docs.txt
	$(PIP) -r requirements/docs.txt
	@touch $@

$(VENV)/.app: $(VENV)/.extract requirements/app.txt
	$(PIP) -r requirements/app.txt
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info signbert_mm/.mim .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
