"""The Gemini app's surface, under /api/v1/gemini and /gemini."""
