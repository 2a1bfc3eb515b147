#include "trace/datum.hpp"

namespace vmaprun {

const Datum* RecordDatum::find(const std::string& name) const {
    for (const auto& [field, value] : fields) {
        if (field == name) return &value;
    }
    return nullptr;
}

const TupleDatum* Datum::tuple() const {
    const auto* held = std::get_if<std::shared_ptr<const TupleDatum>>(&is);
    return held ? held->get() : nullptr;
}
const RecordDatum* Datum::record() const {
    const auto* held = std::get_if<std::shared_ptr<const RecordDatum>>(&is);
    return held ? held->get() : nullptr;
}
const Function* Datum::function() const {
    const auto* held = std::get_if<FunctionPtr>(&is);
    return held ? held->get() : nullptr;
}

std::string type_text(const Builder& builder, const Datum& datum) {
    if (const Value* value = datum.tensor()) return builder.type(*value).text();
    if (const TupleDatum* tuple = datum.tuple()) {
        constexpr std::size_t most = 8; // of a longer one the first few tell enough
        const std::size_t count = tuple->items.size(), shown = count > most ? 3 : count;
        std::string text = "(";
        for (std::size_t i = 0; i < shown; ++i) text += (i > 0 ? ", " : "") + type_text(builder, tuple->items[i]);
        if (shown < count) return text + ", …)";
        return text + (count == 1 ? ",)" : ")");
    }
    if (const RecordDatum* record = datum.record()) {
        std::string text = "{";
        for (const auto& [name, value] : record->fields) text += (text.size() > 1 ? ", " : "") + name + ": " + type_text(builder, value);
        return text + "}";
    }
    if (datum.function() != nullptr) return "a function";
    if (datum.none()) return "none";
    if (std::holds_alternative<std::string>(datum.is)) return "a string";
    if (std::holds_alternative<DType>(datum.is)) return "a dtype";
    if (std::holds_alternative<RangeDatum>(datum.is)) return "a range";
    if (const auto* word = std::get_if<WordDatum>(&datum.is)) return "the word `" + word->word + "`";
    return "an update in progress (x.at[...])";
}

void collect_leaves(const Datum& datum, std::vector<Value>& leaves, const Datum** other) {
    if (const Value* value = datum.tensor()) {
        leaves.push_back(*value);
    } else if (const TupleDatum* tuple = datum.tuple()) {
        for (const Datum& item : tuple->items) collect_leaves(item, leaves, other);
    } else if (const RecordDatum* record = datum.record()) {
        for (const auto& field : record->fields) collect_leaves(field.second, leaves, other);
    } else if (!datum.none() && other != nullptr && *other == nullptr) {
        *other = &datum;
    }
}

Datum with_leaves(const Datum& datum, const std::vector<Value>& leaves, std::size_t& next) {
    if (datum.tensor() != nullptr) return leaves.at(next++);
    if (const TupleDatum* tuple = datum.tuple()) {
        std::vector<Datum> items;
        for (const Datum& item : tuple->items) items.push_back(with_leaves(item, leaves, next));
        return Datum::tuple(std::move(items), tuple->spans, tuple->counted);
    }
    if (const RecordDatum* record = datum.record()) {
        std::vector<std::pair<std::string, Datum>> fields;
        for (const auto& [name, value] : record->fields) fields.emplace_back(name, with_leaves(value, leaves, next));
        return Datum::record(std::move(fields));
    }
    return datum;
}

bool same_structure(const Datum& a, const Datum& b) {
    if (a.tensor() && b.tensor()) return true;
    if (a.none() && b.none()) return true;
    if (a.tuple() && b.tuple()) {
        const auto &x = a.tuple()->items, &y = b.tuple()->items;
        if (x.size() != y.size()) return false;
        for (std::size_t i = 0; i < x.size(); ++i) {
            if (!same_structure(x[i], y[i])) return false;
        }
        return true;
    }
    if (a.record() && b.record()) {
        const auto &x = a.record()->fields, &y = b.record()->fields;
        if (x.size() != y.size()) return false;
        for (std::size_t i = 0; i < x.size(); ++i) {
            if (x[i].first != y[i].first || !same_structure(x[i].second, y[i].second)) return false;
        }
        return true;
    }
    return false;
}

} // namespace vmaprun
