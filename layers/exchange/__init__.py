"""Files in, files out: imports as jobs, exports."""
