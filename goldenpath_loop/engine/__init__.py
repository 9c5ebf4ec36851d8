"""decide, request, perform, interpret, append; again."""
