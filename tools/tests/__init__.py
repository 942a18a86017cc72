"""Tests of ./tinykv itself.

./tinykv test runs them; alone: python3 -m unittest discover --buffer -t tools tools/tests
"""
