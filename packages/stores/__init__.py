"""The stores that services share: models and the prediction log, each behind one interface (base.py)."""
