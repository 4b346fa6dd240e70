"""What a product is: `<kind>/<product>.yaml`, the shape of those files, and the profiles that they describe."""
