//===- Report.cpp - what compression did ----------------------------------===//
// Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.

#include "nn/Compress/Compress.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::nn;
using llvm::formatv;

namespace {
/// A line of figures: what, before, after, and the ratio.
struct Row {
  std::string what, before, after, ratio;
};
} // namespace

static SmallVector<Row> summarize(const CompressionReport &report,
                                  std::pair<uint64_t, uint64_t> sizes) {
  SmallVector<Row> rows;
  auto [before, after] = sizes;
  rows.push_back({"Size, bytes", std::to_string(before), std::to_string(after),
                  formatv("{0:f2}x smaller", double(before) / std::max<uint64_t>(after, 1))});
  if (report.floatMs > 0)
    rows.push_back({"Time of a run, ms", formatv("{0:f4}", report.floatMs),
                    formatv("{0:f4}", report.compressedMs),
                    formatv("{0:f2}x faster", report.floatMs / report.compressedMs)});
  const Accuracy &accuracy = report.accuracy;
  rows.push_back({"Relative error of the outputs", "", formatv("{0:e3}", accuracy.error), ""});
  rows.push_back({"Cosine of the outputs", "", formatv("{0:f6}", accuracy.cosine), ""});
  if (accuracy.rows > 0)
    rows.push_back({"Rows with the same largest element", "",
                    formatv("{0} of {1}", accuracy.agreeing, accuracy.rows),
                    formatv("{0:f2}%", 100 * accuracy.getAgreement())});
  return rows;
}

static std::string formatError(const RegionPlan &region) {
  return region.error ? formatv("{0:e3}", *region.error).str() : "";
}

static std::string formatTime(std::optional<double> us) {
  return us ? formatv("{0:f1}", *us).str() : "";
}

/// What the report says of a region after its name.
static SmallVector<std::string> getCells(const RegionPlan &region) {
  return {getName(region.precision).str(), formatError(region), formatTime(region.floatUs),
          formatTime(region.int8Us), formatTime(region.weightsUs), region.why};
}
static constexpr llvm::StringLiteral kHeadings[] = {
    "Region", "Precision", "Error", "µs, float", "µs, 8 bits", "µs, 8-bit weights", "Why"};

//===----------------------------------------------------------------------===//
// Markdown
//===----------------------------------------------------------------------===//

/// Cells must not end early.
static std::string escapeCell(StringRef text) {
  std::string escaped;
  for (char c : text)
    escaped += c == '|' ? "\\|" : std::string(1, c);
  return escaped;
}

/// Bytes as stages leave them, as in the table of Deep Compression (Han et al., 2016).
static SmallVector<std::string> getCells(const WeightStatistics &entry) {
  double dense = 32.0 * double(entry.weights), coded = entry.bits * double(entry.weights);
  return {std::to_string(entry.weights),
          formatv("{0:f1}%", 100.0 * double(entry.kept) / double(entry.weights)),
          entry.bits < 32 ? std::to_string(entry.values) : "more",
          formatv("{0:f2}", entry.bits), formatv("{0:f1}x", dense / std::max(coded, 1.0))};
}
static constexpr llvm::StringLiteral kWeightHeadings[] = {
    "Weights of", "Number", "Not 0", "Distinct", "Bits of one, coded", "Smaller"};

/// All of them together.
static WeightStatistics addUp(ArrayRef<WeightStatistics> list) {
  WeightStatistics total{"all"};
  double bits = 0;
  for (const WeightStatistics &entry : list) {
    total.weights += entry.weights;
    total.kept += entry.kept;
    total.values = std::max(total.values, entry.values);
    bits += entry.bits * double(entry.weights);
  }
  total.bits = bits / std::max<double>(double(total.weights), 1);
  return total;
}

static std::string formatMarkdown(const CompressionReport &report, StringRef model,
                                  ArrayRef<Row> rows) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "# Compression of " << model << "\n\n";
  os << "Measured on " << report.samples << " samples.";
  if (!report.calibration.empty())
    os << " Ranges: " << report.calibration << ".";
  os << "\n\n| | float | compressed | |\n|---|---|---|---|\n";
  for (const Row &row : rows)
    os << "| " << row.what << " | " << row.before << " | " << row.after << " | " << row.ratio
       << " |\n";
  if (!report.weights.empty()) {
    os << "\n| " << llvm::join(ArrayRef(kWeightHeadings), " | ")
       << " |\n|---|--:|--:|--:|--:|--:|\n";
    std::vector<WeightStatistics> list = report.weights;
    list.push_back(addUp(report.weights));
    for (const WeightStatistics &entry : list)
      os << "| " << escapeCell(entry.tensor) << " | " << llvm::join(getCells(entry), " | ")
         << " |\n";
  }
  if (report.plan.regions.empty())
    return text;
  os << "\nThe error of a region is that of the outputs if it alone is quantized.\n\n"
     << "| " << llvm::join(ArrayRef(kHeadings), " | ") << " |\n|---|---|---|---|---|---|---|\n";
  for (const RegionPlan &region : report.plan.regions) {
    os << "| " << escapeCell(region.tensor);
    for (const std::string &cell : getCells(region))
      os << " | " << escapeCell(cell);
    os << " |\n";
  }
  return text;
}

//===----------------------------------------------------------------------===//
// HTML
//===----------------------------------------------------------------------===//

static std::string escapeHTML(StringRef text) {
  std::string escaped;
  llvm::raw_string_ostream os(escaped);
  llvm::printHTMLEscaped(text, os);
  return escaped;
}

/// A bar for each region as long as its error, in SVG.
static void plotErrors(const CompressionReport &report, raw_ostream &os) {
  double largest = 0;
  for (const RegionPlan &region : report.plan.regions)
    largest = std::max(largest, region.error.value_or(0));
  if (largest == 0)
    return;
  constexpr int kBar = 14, kLabel = 260, kWidth = 480;
  size_t count = report.plan.regions.size();
  os << "<h2>Error of the outputs by region</h2>\n"
     << formatv("<svg width=\"{0}\" height=\"{1}\" font-size=\"11\">\n",
                kLabel + kWidth + 90, (count + 1) * kBar);
  for (auto [i, region] : llvm::enumerate(report.plan.regions)) {
    double width = region.error.value_or(0) / largest * kWidth;
    os << formatv("<text x=\"{0}\" y=\"{1}\" text-anchor=\"end\">{2}</text>"
                  "<rect x=\"{3}\" y=\"{4}\" width=\"{5:f1}\" height=\"{6}\" fill=\"{7}\"/>"
                  "<text x=\"{8:f1}\" y=\"{1}\">{9}</text>\n",
                  kLabel - 6, (i + 1) * kBar - 3, escapeHTML(region.tensor), kLabel,
                  i * kBar + 2, width, kBar - 4,
                  region.precision == Precision::Float ? "#b55" : "#58a",
                  kLabel + width + 4, formatError(region));
  }
  os << "</svg>\n";
}

static std::string formatHTML(const CompressionReport &report, StringRef model,
                              ArrayRef<Row> rows) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>"
     << escapeHTML(model)
     << ", compressed</title>\n<style>body{font-family:sans-serif;margin:2em}"
        "table{border-collapse:collapse}td,th{border:1px solid #bbb;padding:3px 8px;"
        "text-align:left}</style></head><body>\n<h1>Compression of "
     << escapeHTML(model) << "</h1>\n<p>Measured on " << report.samples << " samples.";
  if (!report.calibration.empty())
    os << " Ranges: " << escapeHTML(report.calibration) << ".";
  os << "</p>\n<table><tr><th></th><th>float</th><th>compressed</th><th></th></tr>\n";
  for (const Row &row : rows)
    os << "<tr><td>" << row.what << "</td><td>" << row.before << "</td><td>" << row.after
       << "</td><td>" << row.ratio << "</td></tr>\n";
  os << "</table>\n";
  plotErrors(report, os);
  if (!report.weights.empty()) {
    os << "<h2>Weights</h2>\n<table><tr><th>"
       << llvm::join(ArrayRef(kWeightHeadings), "</th><th>") << "</th></tr>\n";
    std::vector<WeightStatistics> list = report.weights;
    list.push_back(addUp(report.weights));
    for (const WeightStatistics &entry : list)
      os << "<tr><td>" << escapeHTML(entry.tensor) << "</td><td>"
         << llvm::join(getCells(entry), "</td><td>") << "</td></tr>\n";
    os << "</table>\n";
  }
  os << "<h2>Regions</h2>\n<table><tr><th>" << llvm::join(ArrayRef(kHeadings), "</th><th>")
     << "</th></tr>\n";
  for (const RegionPlan &region : report.plan.regions) {
    os << "<tr><td>" << escapeHTML(region.tensor);
    for (const std::string &cell : getCells(region))
      os << "</td><td>" << escapeHTML(cell);
    os << "</td></tr>\n";
  }
  os << "</table>\n</body></html>\n";
  return text;
}

std::string nn::formatReport(const CompressionReport &report, StringRef model,
                             std::pair<uint64_t, uint64_t> sizes, bool html) {
  SmallVector<Row> rows = summarize(report, sizes);
  return html ? formatHTML(report, model, rows) : formatMarkdown(report, model, rows);
}
