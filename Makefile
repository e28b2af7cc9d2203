# The ways into the course. The first call installs into .venv, which takes some minutes; later calls do not.
PYTHON ?= python3
RUN := .venv/bin/python -m

.PHONY: help lab data

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## */make \1\t/p' Makefile | expand -t 16

lab: .venv/installed  ## open JupyterLab on chapter 00
	@$(RUN) utils.lab $(ARGS)

data: .venv/installed  ## fetch MNIST and CIFAR-10 ahead of class; may be interrupted and called again
	@$(RUN) utils.data $(ARGS)

.venv/installed: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "The course needs Python 3.11 or later and \
	$(PYTHON) is none. If another one is installed, name it: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments. \
	On Debian and Ubuntu, this repairs it: sudo apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(RUN) pip install --disable-pip-version-check -r requirements.txt
	@touch $@

# for those who grade or change the course
.PHONY: test demo grade release publish

test: export OMP_NUM_THREADS = 1
test: export CNN_COURSE_FAST = 1
test: export CNN_COURSE_OFFLINE = 1
test: .venv/installed  ## every test and every notebook; ARGS="-k conv" for some of them
	$(RUN) ruff check .
	$(RUN) pytest --nbval-lax --nbval-current-env --numprocesses logical --maxprocesses 4 --dist loadfile $(ARGS)

demo: .venv/installed  ## release the chapters and grade a small sample class
	@$(RUN) grading demo $(ARGS)

grade: .venv/installed  ## the same, with the jail tried first, and what the class got wrong and the grades afterwards
	@$(RUN) grading doctor
	@$(RUN) grading demo
	@for chapter in 01_convolution 02_convolution_layers; do \
	$(RUN) grading misconceptions $$chapter --course demo; $(RUN) grading export $$chapter --course demo; done

release: .venv/installed  ## make notebooks/ from solutions/
	@$(RUN) grading release $(ARGS)

ifeq ($(MAKECMDGOALS)$(DIR),publish)
$(error say where to write the learner's repository: make publish DIR=../cnn-course)
endif
publish: release  ## write the learner's repository: make publish DIR=../cnn-course
	@$(RUN) grading publish "$(DIR)" $(ARGS)
