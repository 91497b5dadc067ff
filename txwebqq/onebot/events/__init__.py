"""
Events of OneBot 11 as events of the model.
"""
