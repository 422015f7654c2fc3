"""What follows from a record: which networks there are, what became of each variable, where a gradient stops.

Pure functions over the record, shared by the causes. No TensorFlow in here.
"""
