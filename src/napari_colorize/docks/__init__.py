"""The docks of napari: all that knows Qt and layers."""
