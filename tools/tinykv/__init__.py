"""What stands behind ./tinykv: one module a command, and a few small ones that they share.

cli        reads the command line and calls a command
setup      packages.py lists what a machine needs, setup.py installs what is missing
build      configures and compiles a preset
cluster    up, status, down; on state.py (what runs), server.py (one process), config.py (addresses)
testing    the test command; on gtest_report.py, which counts
lint       clang-format, clang-tidy and the house rules of tidy.py, which reads C++ with cpp_text.py
bench      runs tinykv-bench
console    how all of them speak; process.py, how they call programs; workspace.py, where files are

Standard library only, Python 3.11 and later.
"""
