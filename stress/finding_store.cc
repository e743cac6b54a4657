// stress/finding_store.cc - collects findings.  Tested by finding_store_test.cc.
#include "stress/finding_store.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <system_error>

#include "stress/finding_text.h"
#include "stress/whole_file.h"

namespace racier::stress {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kAside = ".new-";

Json to_json(const StoredFinding& stored) {
  Json json;
  json["kind"] = stored.kind;
  json["title"] = stored.title;
  json["count"] = stored.count;
  json["first_seen"] = stored.first_seen;
  json["first_cell"] = stored.first_cell;
  json["cells"] = stored.cells;
  json["last_job"] = stored.last_job;
  json["replays"] = stored.replays;
  return json;
}

StoredFinding from_json(const Json& json) {
  StoredFinding stored;
  stored.kind = json.at("kind");
  stored.title = json.at("title");
  stored.count = json.at("count");
  stored.first_seen = json.at("first_seen");
  stored.first_cell = json.at("first_cell");
  stored.cells = json.at("cells").get<std::map<std::string, std::uint64_t>>();
  stored.last_job = json.at("last_job");
  stored.replays = json.at("replays");
  return stored;
}

}  // namespace

std::string Found::slug() const { return slug_of(kind, title); }

std::string FindingStore::open(fs::path folder) {
  folder_ = std::move(folder);
  findings_.clear();
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
    const std::string slug = entry.path().filename();
    if (slug.starts_with(kAside)) {
      std::error_code ignored;
      fs::remove_all(entry.path(), ignored);
      continue;
    }
    const auto text = read_whole(entry.path() / "meta.json");
    if (!text) continue;
    try {
      findings_[slug] = from_json(Json::parse(*text));
    } catch (const Json::exception& wrong) {
      return (entry.path() / "meta.json").string() + ": " + wrong.what();
    }
  }
  return error ? "cannot read " + folder_.string() + ": " + error.message() : "";
}

std::string FindingStore::add(const Found& found, const Source& source, bool& is_new) {
  const std::string slug = found.slug();
  const auto known = findings_.find(slug);
  is_new = known == findings_.end();
  if (!is_new && known->second.last_job == source.job) return "";
  StoredFinding stored = is_new ? StoredFinding() : known->second;
  if (is_new) {
    stored.kind = found.kind;
    stored.title = found.title;
    stored.first_seen = time_now();
    stored.first_cell = source.cell;
  }
  stored.count += found.count;
  stored.cells[source.cell] += found.count;
  stored.last_job = source.job;
  const std::string error =
      is_new ? add_new(found, stored) : write_meta(folder_of(slug), stored);
  if (error.empty()) findings_[slug] = std::move(stored);
  return error;
}

std::string FindingStore::add_new(const Found& found, const StoredFinding& stored) {
  const fs::path aside = folder_ / (kAside + found.slug());
  std::error_code error;
  fs::remove_all(aside, error);
  std::string problem = prepare_folder(aside);
  const auto write = [&](const char* name, const std::string& text) {
    if (problem.empty() && !text.empty()) problem = write_whole(aside / name, text);
  };
  write("program.racier", found.program);
  write("input", found.input);
  write("report.txt", found.report);
  write("how-to-replay.txt", found.replay);
  if (problem.empty()) problem = write_meta(aside, stored);
  if (problem.empty()) {
    fs::rename(aside, folder_of(found.slug()), error);
    if (error) {
      problem =
          "cannot write " + folder_of(found.slug()).string() + ": " + error.message();
    }
  }
  if (!problem.empty()) fs::remove_all(aside, error);
  return problem;
}

std::string FindingStore::note_replay(const std::string& slug,
                                      const std::string& gave) {
  StoredFinding& stored = findings_.at(slug);
  stored.replays = gave;
  const fs::path file = folder_of(slug) / "how-to-replay.txt";
  constexpr const char* kLine = "# racier repro run: ";
  std::string text = read_whole(file).value_or("");
  text.resize(std::min(text.find(kLine), text.size()));  // noted by half, and killed
  const std::string error = write_whole(file, text + kLine + gave + "\n");
  return error.empty() ? write_meta(folder_of(slug), stored) : error;
}

std::string FindingStore::write_meta(const fs::path& folder,
                                     const StoredFinding& stored) {
  return write_whole(
      folder / "meta.json",
      to_json(stored).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string time_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace racier::stress
