"""What `import foramen as fm` offers."""
