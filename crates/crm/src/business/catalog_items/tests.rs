//! Tests of the tools for catalog items, through the pipeline.
