"""The only way from lightness to colour: a model looks once at a picture and colours it often."""
