"""Which variant, runtime, precision, size and number of threads is quickest here, and has it become slower since?"""
