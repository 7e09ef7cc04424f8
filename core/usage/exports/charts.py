"""Charts that Excel itself draws from the cells of a sheet."""

from typing import Any

from openpyxl.chart import BarChart, DoughnutChart, Reference
from openpyxl.chart.data_source import AxDataSource, StrRef
from openpyxl.chart.label import DataLabelList
from openpyxl.chart.marker import DataPoint
from openpyxl.chart.shapes import GraphicalProperties

# Okabe and Ito's colours, told apart by the colour-blind; grey is the rest.
COLOURS = ("0072B2", "E69F00", "009E73", "CC79A7", "56B4E9", "D55E00", "F0E442")
_REST = "999999"


def stacked_columns(sheet: Any, title: str, series: int, rows: int, formats: tuple[str, str]) -> BarChart:
    """A column for each of `rows` rows below the head of `sheet`: column A is the axis, the next `series` the parts.

    `formats`: how Excel shows what is on the axis, and the amounts.
    """
    chart: Any = BarChart()
    chart.type, chart.grouping, chart.overlap, chart.gapWidth = "col", "stacked", 100, 40
    chart.add_data(
        Reference(sheet, min_col=2, max_col=1 + series, min_row=1, max_row=1 + rows), titles_from_data=True
    )
    chart.set_categories(Reference(sheet, min_col=1, min_row=2, max_row=1 + rows))
    for number, each in enumerate(chart.series):
        each.graphicalProperties = GraphicalProperties(solidFill=_colour(number))
    chart.x_axis.number_format, chart.y_axis.number_format = formats
    # Without these, new versions of Excel leave the axes out.
    chart.x_axis.delete = chart.y_axis.delete = False
    return _finished(chart, title, width=26, height=10)


def shares(sheet: Any, title: str, column: int, rows: int) -> DoughnutChart:
    """A ring of the `rows` rows below the head of `sheet`: names in `column`, amounts in the next one."""
    chart: Any = DoughnutChart(holeSize=55)
    chart.add_data(Reference(sheet, min_col=column + 1, min_row=1, max_row=1 + rows), titles_from_data=True)
    names = Reference(sheet, min_col=column, min_row=2, max_row=1 + rows)
    chart.series[0].cat = AxDataSource(strRef=StrRef(f=str(names)))
    chart.series[0].data_points = [
        DataPoint(idx=number, spPr=GraphicalProperties(solidFill=_colour(number))) for number in range(rows)
    ]
    chart.dataLabels = DataLabelList(
        showPercent=True, showVal=False, showCatName=False, showSerName=False, showLegendKey=False
    )
    return _finished(chart, title, width=13, height=10)


def _finished(chart: Any, title: str, width: int, height: int) -> Any:
    chart.title = title
    heading: Any = chart.title  # which is an object by now
    heading.overlay = False
    chart.legend.position = "b"
    chart.width, chart.height = width, height  # centimetres
    return chart


def _colour(number: int) -> str:
    return COLOURS[number] if number < len(COLOURS) else _REST
