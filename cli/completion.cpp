// SPDX-License-Identifier: Apache-2.0
#include "cli/completion.h"

#include <fmt/format.h>

#include <vector>

namespace ratls::cli {
namespace {

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

/// Entry is a command: its words behind "ratls", and where they stand in the tree.
struct Entry {
  std::string words;  ///< "", " serve", " sim init"
  const CLI::App* app;
};

// Commands that are hidden have no group; groups of options have no name.
bool is_shown(const CLI::App& command) {
  return !command.get_name().empty() && !command.get_group().empty();
}

void collect(const CLI::App& app, const std::string& words, std::vector<Entry>& entries) {
  entries.push_back({words, &app});
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    if (is_shown(*command)) collect(*command, words + " " + command->get_name(), entries);
  }
}

std::vector<Entry> commands_of(const CLI::App& app) {
  std::vector<Entry> entries;
  collect(app, "", entries);
  return entries;
}

// With those of its groups, which the parent does not list.
std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  std::vector<const CLI::Option*> options = app.get_options();
  for (const CLI::App* group : app.get_subcommands(nullptr)) {
    if (!group->get_name().empty()) continue;
    for (const CLI::Option* option : group->get_options()) {
      if (option != group->get_help_ptr()) options.push_back(option);
    }
  }
  return options;
}

std::string long_name(const CLI::Option& option) {
  const auto& names = option.get_lnames();
  return names.empty() ? "" : names.front();
}

// The words that may follow a command: "--json --policy ...".
std::string words_after(const CLI::App& app) {
  std::string words;
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    if (is_shown(*command)) words += " " + command->get_name();
  }
  for (const CLI::Option* option : options_of(app)) {
    if (const std::string name = long_name(*option); !name.empty()) words += " --" + name;
  }
  return words.empty() ? words : words.substr(1);
}

// The lines of "case" for bash and zsh: which words lead to a command, and what follows it.
std::string path_cases(const std::vector<Entry>& entries) {
  std::string known;
  for (const Entry& entry : entries) {
    if (!entry.words.empty()) known += (known.empty() ? "" : "|") + ("\"" + entry.words + "\"");
  }
  return fmt::format("    case \"$command $word\" in {}) command=\"$command $word\" ;; esac\n",
                     known);
}

std::string word_cases(const std::vector<Entry>& entries) {
  std::string cases;
  for (const Entry& entry : entries) {
    cases += fmt::format("    \"{}\") offered=\"{}\" ;;\n", entry.words, words_after(*entry.app));
  }
  return cases;
}

std::string bash(const std::vector<Entry>& entries) {
  return "# bash completion of ratls, written by: ratls completion bash\n"
         "_ratls() {\n"
         "  local command= word offered=\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    [ \"$word\" = -- ] && return\n" +
         path_cases(entries) + "  done\n  case \"$command\" in\n" + word_cases(entries) +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$offered\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "complete -o default -F _ratls ratls\n";
}

std::string zsh(const std::vector<Entry>& entries) {
  return "#compdef ratls\n"
         "# written by: ratls completion zsh\n"
         "_ratls() {\n"
         "  local command= word offered=\n"
         "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n" +
         path_cases(entries) + "  done\n  case \"$command\" in\n" + word_cases(entries) +
         "  esac\n"
         "  compadd -- ${=offered}\n"
         "  _files\n"
         "}\n"
         "_ratls \"$@\"\n";
}

std::string fish(const std::vector<Entry>& entries) {
  const auto quoted = [](const std::string& text) {
    return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
  };
  std::string script = "# fish completion of ratls, written by: ratls completion fish\n";
  for (const Entry& entry : entries) {
    // " sim init" is there when both words are.
    std::string there = replaced(entry.words, " ", "; and __fish_seen_subcommand_from ");
    if (!there.empty()) there.erase(0, std::string_view("; and ").size());
    const std::string condition = there.empty() ? "__fish_use_subcommand" : there;
    for (const CLI::App* command : entry.app->get_subcommands(nullptr)) {
      if (!is_shown(*command)) continue;
      script += fmt::format("complete -c ratls -n '{}' -a {} -d {}\n", condition,
                            command->get_name(), quoted(command->get_description()));
    }
    for (const CLI::Option* option : options_of(*entry.app)) {
      if (long_name(*option).empty()) continue;
      script += fmt::format("complete -c ratls -n '{}' -l {}{} -d {}\n", condition,
                            long_name(*option), option->get_expected_max() > 0 ? " -r" : "",
                            quoted(option->get_description()));
    }
  }
  return script;
}

// roff takes a backslash, and a dot or quote at the start of a line, for its own.
std::string roff(const std::string& text) {
  std::string out = replaced(replaced(text, "\\", "\\e"), "-", "\\-");
  out = replaced(out, "\n.", "\n\\&.");
  out = replaced(out, "\n'", "\n\\&'");
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string man(const CLI::App& app, const std::vector<Entry>& entries) {
  const std::string name = roff(app.get_name());
  const std::string& description = app.get_description();
  std::string page = ".TH " + name + " 1\n.SH NAME\n" + name + " \\- " +
                     roff(description.substr(0, description.find('.'))) + "\n.SH SYNOPSIS\n.B " +
                     name + "\n.I COMMAND\n.RI [ OPTIONS ]\n.SH DESCRIPTION\n.nf\n" +
                     roff(description) + "\n.fi\n.SH COMMANDS\n";
  for (const Entry& entry : entries) {
    if (!entry.words.empty()) {
      page += ".SS " + name + roff(entry.words) + "\n" + roff(entry.app->get_description()) + "\n";
    }
    for (const CLI::Option* option : options_of(*entry.app)) {
      page += ".TP\n.B " + roff(option->get_name(false, true)) + "\n" +
              roff(option->get_description()) + "\n";
    }
    if (!entry.app->get_footer().empty()) page += ".PP\n" + roff(entry.app->get_footer()) + "\n";
  }
  return page;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& kind) {
  const auto entries = commands_of(app);
  if (kind == "bash") return bash(entries);
  if (kind == "zsh") return zsh(entries);
  if (kind == "fish") return fish(entries);
  return man(app, entries);
}

}  // namespace ratls::cli
