c = get_config()  # noqa: F821
load_subconfig("grading/nbgrader_config.py")  # noqa: F821
