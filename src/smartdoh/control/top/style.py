"""How it looks, in Textual's CSS: colours come from the theme, so that a light one and a dark one both do."""

STYLE = """
Screen { layout: vertical; }
#head { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
#head { background: $primary; color: $text; text-style: bold; }
#head.-waiting { background: $error; }
#top { height: 7; }
#rates { width: 31; height: 7; padding: 0 1; }
.rate { height: 1; }
.rate > Static { width: 19; height: 1; }
.rate > Sparkline { width: 1fr; height: 1; }
#figures { width: 1fr; height: 7; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
#tabs { height: 2; }
#panels { height: 1fr; }
.panel { display: none; height: 1fr; }
.panel.-active { display: block; }
DataTable { height: 1fr; }
DataTable > .datatable--cursor { background: transparent; color: $foreground; text-style: none; }
DataTable:focus > .datatable--cursor {
    background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
}
#filter { display: none; height: 1; border: none; padding: 0 1; }
.-wide #tabs { display: none; }
.-wide #panels { layout: grid; grid-size: 6 3; grid-rows: 5fr 4fr 5fr; }
.-wide .panel { display: block; border: round $foreground 30%; border-title-color: $foreground; column-span: 3; }
.-wide .panel.-active { border: round $accent; border-title-color: $accent; }
.-wide #clients { column-span: 2; }
.-wide #upstreams { column-span: 4; }
.-wide #last { column-span: 6; }
.-wide #rates { width: 45%; }
Dialog { align: center middle; background: $background 60%; }
Dialog > VerticalScroll {
    width: 90%; max-width: 110; height: auto; max-height: 90%;
    border: round $accent; background: $surface; padding: 0 1;
}
"""
