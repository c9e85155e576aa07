"""The stores keep what services share, models and the prediction log, each behind one interface (base.py)."""
